"""The resolution of one environment: the packages that the search selects, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.metadata.core_metadata import WheelMetadata
from planner.metadata.distribution import Distribution
from planner.model.dependencies import Dependency, Identifier, Scope
from planner.resolver.candidates import Candidate, Wheels
from planner.resolver.dependency_reader import DependencyReader
from planner.resolver.obstacles import Obstacles
from schemas.text import enumerate_some

__all__ = ["ResolvedPackage", "WrongSelection", "build_packages", "check_selection"]


class WrongSelection(AssertionError):
    """The search selected what breaks a requirement, which is a fault of this program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPackage:
    """A project with its selected wheels and the projects it depends on; a Solution owns it."""

    wheels: Wheels
    metadata: tuple[WheelMetadata, ...]
    """That of each wheel."""
    dependencies: tuple[NormalizedName, ...]
    """Sorted; those of the selected extras included."""
    requires: tuple[str, ...]
    """The requirements on them, as the metadata has them; sorted."""
    scopes: frozenset[Scope | None]
    """The extras and dependency groups that require it; with None, it is always required."""
    unknown_extras: tuple[NormalizedName, ...] = ()
    """Required extras that it does not have."""
    passed_over: tuple[Version, str] | None = None
    """The newest version that was tried before it and cannot be used, and why; None if none was."""

    @property
    def name(self) -> NormalizedName:
        return self.wheels[0].name

    @property
    def version(self) -> Version:
        return self.wheels[0].version


def check_selection(
    roots: Iterable[Dependency],
    selection: Mapping[Identifier, Candidate],
    reader: DependencyReader,
    known: Mapping[NormalizedName, Sequence[Dependency]],
) -> None:
    """Check that ``selection`` satisfies all requirements and holds nothing else, without the
    search that made it: a fault of the search must not reach a lock.

    ``known`` holds, by project, the requirements and constraints of the user. Raise WrongSelection.
    """
    reached: set[Identifier] = set()
    allowed: set[tuple[NormalizedName, Version]] = set()
    waiting = list(roots)
    while waiting:
        dependency = waiting.pop()
        identifier = dependency.identifier
        candidate = selection.get(identifier)
        if candidate is None or not _satisfies(candidate, dependency):
            raise WrongSelection(f"{candidate} is selected for {dependency.text}")
        if identifier in reached:
            continue
        reached.add(identifier)
        release = identifier.name, candidate.version
        for one in known.get(identifier.name, ()) if release not in allowed else ():
            if not _satisfies(candidate, one):
                raise WrongSelection(f"{candidate} is selected in spite of {one.text}")
        allowed.add(release)
        waiting += reader.dependencies(candidate)
    if superfluous := selection.keys() - reached:
        raise WrongSelection(f"nothing requires {enumerate_some(sorted(superfluous, key=str))}")
    versions: dict[NormalizedName, Version] = {}
    for identifier, candidate in selection.items():
        if versions.setdefault(identifier.name, candidate.version) != candidate.version:
            raise WrongSelection(f"two versions of {identifier.name} are selected")


def _satisfies(candidate: Candidate, dependency: Dependency) -> bool:
    return dependency.specifier.contains(candidate.version, prereleases=True)


def build_packages(
    roots: Sequence[Dependency],
    selection: Mapping[Identifier, Candidate],
    reader: DependencyReader,
    obstacles: Obstacles,
) -> tuple[ResolvedPackage, ...]:
    """Return the packages of ``selection``, sorted by name: a project and its extras are one."""
    scopes: dict[NormalizedName, set[Scope | None]] = {}
    for scope in {root.scope for root in roots}:
        required = [root.identifier for root in roots if root.scope == scope]
        for identifier in _reach(required, selection, reader):
            scopes.setdefault(identifier.name, set()).add(scope)
    by_name: dict[NormalizedName, list[Candidate]] = {}
    for identifier, candidate in selection.items():
        by_name.setdefault(identifier.name, []).append(candidate)
    return tuple(
        _package(by_name[name], frozenset(scopes[name]), reader, obstacles)
        for name in sorted(by_name)
    )


def _reach(
    identifiers: Iterable[Identifier],
    selection: Mapping[Identifier, Candidate],
    reader: DependencyReader,
) -> set[Identifier]:
    """Return ``identifiers`` and all that is selected because of them."""
    reached: set[Identifier] = set()
    waiting = list(identifiers)
    while waiting:
        identifier = waiting.pop()
        if identifier not in reached:
            reached.add(identifier)
            dependencies = reader.dependencies(selection[identifier])
            waiting.extend(dependency.identifier for dependency in dependencies)
    return reached


def _package(
    candidates: Sequence[Candidate],
    scopes: frozenset[Scope | None],
    reader: DependencyReader,
    obstacles: Obstacles,
) -> ResolvedPackage:
    wheels = candidates[0].wheels
    name = wheels[0].name
    needed = {
        dependency.identifier.name
        for candidate in candidates
        for dependency in reader.dependencies(candidate)
    }
    texts = {
        requirement.text
        for candidate in candidates
        for requirement in reader.requirements(candidate)
    }
    return ResolvedPackage(
        wheels=wheels,
        metadata=reader.metadata(candidates[0]),
        dependencies=tuple(sorted(needed - {name})),
        requires=tuple(sorted(texts)),
        scopes=scopes,
        unknown_extras=tuple(
            sorted(
                candidate.identifier.extra
                for candidate in candidates
                if candidate.identifier.extra
                and (candidate.identifier, candidate.version) in reader.unknown_extras
            )
        ),
        passed_over=_passed_over(wheels[0], obstacles),
    )


def _passed_over(wheel: Distribution, obstacles: Obstacles) -> tuple[Version, str] | None:
    """Return the newest version above that of ``wheel`` that has an obstacle, and the obstacle."""
    newer = {
        version: obstacle
        for (identifier, version), obstacle in obstacles.items()
        if identifier.name == wheel.name and version > wheel.version
        # An obstacle to a project is one to its extras, and the project says what it is.
        if obstacle.identifier.refused or obstacle.identifier.name != wheel.name
    }
    if not newer:
        return None
    version = max(newer)
    obstacle = newer[version]
    refused = obstacle.identifier.refused
    needs = f"it needs {obstacle.text}, which no usable wheel satisfies"
    return version, obstacle.text if refused else needs
