"""Resolve: dependencies and a provider to one release per project, or to why there is none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName
from packaging.version import Version
from resolvelib import BaseReporter, ResolutionImpossible, Resolver
from resolvelib.resolvers import Criterion, ResolutionTooDeep
from resolvelib.structs import RequirementInformation, State

from planner.metadata.core_metadata import WheelMetadata
from planner.metadata.distribution import Distribution
from planner.model.dependencies import Dependency, Identifier, Scope
from planner.model.environments import MarkerEnvironment
from planner.resolver.candidates import Wheels
from planner.resolver.explanation import Asked, Explainer, SearchTooLong
from planner.resolver.provider import Candidate, Provider

__all__ = ["ResolvedPackage", "resolve"]


MAX_ROUNDS = 200_000
"""Steps of the search, as many as pip allows; a real project takes one for each package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedPackage:
    """A project, the wheels that were chosen for it, and the projects it asks for."""

    wheels: Wheels
    metadata: tuple[WheelMetadata, ...]
    """Of each of them."""
    dependencies: tuple[NormalizedName, ...]
    """Sorted; with what the chosen extras add."""
    requires: tuple[str, ...]
    """The requirements that ask for them, as the metadata has them; sorted."""
    scopes: frozenset[Scope | None]
    """The extras and dependency groups that need it; with None, it is needed always."""
    unknown_extras: tuple[NormalizedName, ...] = ()
    """Extras that were asked for and that it does not have."""
    passed_over: tuple[Version, str] | None = None
    """The newest version that was tried before it and cannot be used, and why."""

    @property
    def name(self) -> NormalizedName:
        return self.wheels[0].name

    @property
    def version(self) -> Version:
        return self.wheels[0].version


class _Hopeless(Exception):
    """A candidate that is chosen already has turned out to be of no use."""


class _Reordered(Exception):
    """Another project is to be chosen before those that were chosen already."""


class _Watcher(BaseReporter[Dependency, Candidate, Identifier]):
    """Remembers who asked first for each identifier, to tell how a conflict came about, and
    ends a search that goes on below a choice that is hopeless.

    resolvelib gives up choices one by one from the last; it does not learn that one of the first
    makes all others vain.
    """

    def __init__(self, provider: Provider) -> None:
        self.asked: dict[Identifier, tuple[Dependency, Candidate | None]] = {}
        self._provider = provider
        self._chosen: Mapping[Identifier, Candidate] = {}

    def adding_requirement(self, requirement: Dependency, parent: Candidate | None) -> None:
        self.asked.setdefault(requirement.identifier, (requirement, parent))

    def rejecting_candidate(
        self, criterion: Criterion[Dependency, Candidate], candidate: Candidate
    ) -> None:
        name = candidate.identifier.name
        others = (one.parent for one in criterion.information if one.parent)
        in_the_way = any(other.identifier.name != name for other in others)
        if in_the_way and self._provider.note_rejection(name):
            raise _Reordered

    def ending_round(
        self,
        index: int,
        state: State[Dependency, Candidate, Identifier],
    ) -> None:
        self._chosen = state.mapping

    def resolving_conflicts(
        self,
        causes: Collection[RequirementInformation[Dependency, Candidate]],
    ) -> None:
        self._provider.spread_obstacles()
        if any(
            (identifier, candidate.version) in self._provider.obstacles
            for identifier, candidate in self._chosen.items()
        ):
            raise _Hopeless


def resolve(
    dependencies: Sequence[Dependency],
    provider: Provider,
    explainer: Callable[[Asked], Explainer],
    environment: MarkerEnvironment,
) -> tuple[ResolvedPackage, ...]:
    """Choose wheels for each project that is needed; sorted by name. ``explainer`` makes one who
    can tell why that is not possible.

    Raises Unsolvable, SearchTooLong, and what asking the index raises.
    """
    while True:
        watcher = _Watcher(provider)
        try:
            result = Resolver(provider, watcher).resolve(dependencies, max_rounds=MAX_ROUNDS)
        except (_Hopeless, _Reordered):
            # Again from the start, which asks the index for nothing that is known. It ends: what
            # is known to be hopeless is never chosen again, and no project comes up twice.
            continue
        except ResolutionImpossible as impossible:
            provider.spread_obstacles()
            raise explainer(watcher.asked).explain(impossible.causes, environment) from None
        except ResolutionTooDeep:
            raise SearchTooLong(MAX_ROUNDS) from None
        provider.spread_obstacles()
        return _flatten(dependencies, result.mapping, provider)


def _flatten(
    roots: Sequence[Dependency], chosen: Mapping[Identifier, Candidate], provider: Provider
) -> tuple[ResolvedPackage, ...]:
    """A project and its extras are one package."""
    scopes: dict[NormalizedName, set[Scope | None]] = {}
    for scope in {root.scope for root in roots}:
        asked = [root.identifier for root in roots if root.scope == scope]
        for identifier in _reach(asked, chosen, provider):
            scopes.setdefault(identifier.name, set()).add(scope)
    by_name: dict[NormalizedName, list[Candidate]] = {}
    for identifier, candidate in chosen.items():
        by_name.setdefault(identifier.name, []).append(candidate)
    return tuple(
        _package(by_name[name], frozenset(scopes[name]), provider) for name in sorted(by_name)
    )


def _reach(
    identifiers: Iterable[Identifier], chosen: Mapping[Identifier, Candidate], provider: Provider
) -> set[Identifier]:
    """``identifiers`` and all that is chosen because of them."""
    reached: set[Identifier] = set()
    waiting = list(identifiers)
    while waiting:
        identifier = waiting.pop()
        if identifier not in reached:
            reached.add(identifier)
            dependencies = provider.get_dependencies(chosen[identifier])
            waiting.extend(dependency.identifier for dependency in dependencies)
    return reached


def _package(
    candidates: Sequence[Candidate], scopes: frozenset[Scope | None], provider: Provider
) -> ResolvedPackage:
    wheels = candidates[0].wheels
    name = wheels[0].name
    needed = {
        dependency.identifier.name
        for candidate in candidates
        for dependency in provider.get_dependencies(candidate)
    }
    texts = {
        requirement.text
        for candidate in candidates
        for requirement in provider.requirements(candidate)
    }
    return ResolvedPackage(
        wheels=wheels,
        metadata=provider.metadata(candidates[0]),
        dependencies=tuple(sorted(needed - {name})),
        requires=tuple(sorted(texts)),
        scopes=scopes,
        unknown_extras=tuple(
            sorted(
                candidate.identifier.extra
                for candidate in candidates
                if candidate.identifier.extra and candidate in provider.unknown_extras
            )
        ),
        passed_over=_passed_over(wheels[0], provider.obstacles),
    )


def _passed_over(
    wheel: Distribution, obstacles: Mapping[tuple[Identifier, Version], Dependency]
) -> tuple[Version, str] | None:
    newer = {
        version: obstacle
        for (identifier, version), obstacle in obstacles.items()
        if identifier.name == wheel.name and version > wheel.version
        # What is in the way of a project or an extra is in the way of those that ask for it:
        # the first of them tells what it is.
        if obstacle.identifier.refused or obstacle.identifier.name != wheel.name
    }
    if not newer:
        return None
    version = max(newer)
    obstacle = newer[version]
    refused = obstacle.identifier.refused
    needs = f"it needs {obstacle.text}, which no usable wheel satisfies"
    return version, obstacle.text if refused else needs
