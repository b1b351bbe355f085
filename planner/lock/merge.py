"""Merge the solutions of all environments into the entries of a lock."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.pages import ProjectFile
from planner.inputs.requirement_line import limited
from planner.lock.markers import Conditions
from planner.lock.references import References, Subject
from planner.metadata.consistency import are_alike
from planner.model.dependencies import Scope
from planner.resolver.resolution import ResolvedPackage
from planner.resolver.solve import Solution
from schemas.data_class import frozen

__all__ = ["Entry", "merge"]


@frozen(kw_only=True)
class Entry:
    """One version of one project, as the lock lists it."""

    name: NormalizedName
    version: Version
    marker: Marker | None
    """The condition on which it is needed; None if it is needed always."""
    files: tuple[ProjectFile, ...]
    """The best wheel for each target that needs it, sorted by file name."""
    sources: tuple[ProjectFile, ...]
    """What wheels have yet to be built from, sorted by file name."""
    dependencies: tuple[Subject, ...]
    """The entries that it may need, sorted."""
    requires: tuple[str, ...]
    """The requirements of its metadata that apply in some environment; sorted."""


_Key = tuple[NormalizedName, Version, str]
"""What tells entries apart: at last the file at an address, or the index of what has several."""


@dataclass(slots=True)
class _Draft:
    """An entry in the making, owned by one call of ``merge``."""

    where: dict[Scope | None, set[int]] = field(default_factory=dict)
    files: dict[str, ProjectFile] = field(default_factory=dict)
    dependencies: set[_Key] = field(default_factory=set)
    packages: dict[int, ResolvedPackage] = field(default_factory=dict)
    """By the position of the environment."""

    def add(self, position: int, package: ResolvedPackage) -> None:
        for scope in package.scopes:
            self.where.setdefault(scope, set()).add(position)
        for wheel in package.wheels:
            self.files[wheel.file.filename] = wheel.file
        self.packages[position] = package

    @property
    def index(self) -> str:
        """Return the index of all files; empty if there are several, or none."""
        indexes = {file.index for file in self.files.values()}
        return indexes.pop() if len(indexes) == 1 else ""

    def requirements(self, conditions: Conditions) -> Iterator[str]:
        """Yield the requirements of the metadata. A requirement that only some wheels have carries
        the condition of their environments.
        """
        texts = {text for package in self.packages.values() for text in package.requires}
        if are_alike([one for package in self.packages.values() for one in package.metadata]):
            yield from texts
            return
        declared = {
            position: {str(line) for one in package.metadata for line in one.requires}
            for position, package in self.packages.items()
        }
        for text in texts:
            where = [position for position, lines in declared.items() if text in lines]
            condition = conditions.marker({None: where}) if len(where) < len(declared) else None
            yield str(limited(Requirement(text), condition)) if condition else text


def merge(
    solutions: Sequence[Solution], divided: Collection[NormalizedName] = ()
) -> tuple[Entry, ...]:
    """Return one entry for each version of a project that is needed anywhere, for each file that is
    required by its address, and for each index of the projects ``divided``, which have several;
    sorted.
    """
    environments = [solution.environment for solution in solutions]
    variables, chosen = zip(*((one.variables, one.chosen) for one in environments), strict=True)
    conditions = Conditions(variables, chosen)
    drafts: dict[_Key, _Draft] = {}
    for position, solution in enumerate(solutions):
        keys = {package.name: _key(package, divided) for package in solution.packages}
        for package in solution.packages:
            draft = drafts.setdefault(keys[package.name], _Draft())
            draft.add(position, package)
            draft.dependencies.update(keys[name] for name in package.dependencies)
    subjects = {key: Subject(*key[:2], draft.index) for key, draft in drafts.items()}
    references = References(subjects.values())
    return tuple(
        Entry(
            name=name,
            version=version,
            marker=conditions.marker(draft.where),
            files=tuple(file for _, file in sorted(draft.files.items()) if not file.is_source),
            sources=tuple(file for _, file in sorted(draft.files.items()) if file.is_source),
            dependencies=tuple(
                dict.fromkeys(references.to(subjects[key]) for key in sorted(draft.dependencies))
            ),
            requires=tuple(sorted(draft.requirements(conditions))),
        )
        for (name, version, _), draft in sorted(drafts.items(), key=lambda item: item[0])
    )


def _key(package: ResolvedPackage, divided: Collection[NormalizedName]) -> _Key:
    # An entry has at most one archive, so files that are required by address do not share one.
    direct = [wheel.file.filename for wheel in package.wheels if wheel.file.is_direct]
    if package.name in divided and not direct:
        # Two indexes may have different files of one name.
        direct = sorted({wheel.file.index for wheel in package.wheels})
    return package.name, package.version, "".join(direct)
