"""Entries: the answers for all environments, merged to what a lock lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from packaging.markers import Marker
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.dependencies import Scope
from planner.markers import Conditions
from planner.pages import ProjectFile
from planner.resolution import ResolvedPackage
from planner.solve import Solution

__all__ = ["Entry", "merge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One version of one project, as a lock lists it."""

    name: NormalizedName
    version: Version
    marker: Marker | None
    """Where it is needed; None where it is always."""
    files: tuple[ProjectFile, ...]
    """The best wheel for each target that needs it, sorted by file name."""
    dependencies: tuple[tuple[NormalizedName, Version | None], ...]
    """The entries that it may need; with the version where the name is that of several."""
    requires: tuple[str, ...]
    """The requirements of its metadata that count in some environment; sorted."""


@dataclass(slots=True)
class _Draft:
    """What is known of an entry while environments are gone through."""

    where: dict[Scope | None, set[int]] = field(default_factory=dict)
    files: dict[str, ProjectFile] = field(default_factory=dict)
    dependencies: set[tuple[NormalizedName, Version]] = field(default_factory=set)
    requires: set[str] = field(default_factory=set)

    def add(self, position: int, package: ResolvedPackage) -> None:
        for scope in package.scopes:
            self.where.setdefault(scope, set()).add(position)
        for wheel in package.wheels:
            self.files[wheel.file.filename] = wheel.file
        self.requires.update(package.requires)


def merge(solutions: Sequence[Solution]) -> tuple[Entry, ...]:
    """One entry for each version of a project that is needed anywhere, and for each file that is
    asked for by its address; sorted.
    """
    conditions = Conditions([solution.environment.variables for solution in solutions])
    drafts: dict[tuple[NormalizedName, Version, str], _Draft] = {}
    for position, solution in enumerate(solutions):
        versions = {package.name: package.version for package in solution.packages}
        for package in solution.packages:
            draft = drafts.setdefault(_key(package), _Draft())
            draft.add(position, package)
            draft.dependencies.update((name, versions[name]) for name in package.dependencies)
    counts = Counter(name for name, *_ in drafts)
    ambiguous = {name for name, count in counts.items() if count > 1}
    return tuple(
        Entry(
            name=name,
            version=version,
            marker=conditions.marker(draft.where),
            files=tuple(draft.files[filename] for filename in sorted(draft.files)),
            dependencies=tuple(
                (other, needed if other in ambiguous else None)
                for other, needed in sorted(draft.dependencies)
            ),
            requires=tuple(sorted(draft.requires)),
        )
        for (name, version, _), draft in sorted(drafts.items(), key=lambda item: item[0])
    )


def _key(package: ResolvedPackage) -> tuple[NormalizedName, Version, str]:
    # An entry has one archive at most, so files that were asked for by address do not share one.
    direct = [wheel.file.filename for wheel in package.wheels if wheel.file.is_direct]
    return package.name, package.version, "".join(direct)
