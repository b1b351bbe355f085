"""Provider: the facts of package indexes, told to resolvelib.

resolvelib knows no version and no network; it asks this class which candidates there are, in
which order they are preferred and what each depends on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version
from resolvelib import AbstractProvider
from resolvelib.structs import Matches, RequirementInformation

from planner.metadata.core_metadata import InvalidMetadata, WheelMetadata
from planner.model.dependencies import Dependency, Identifier
from planner.model.environments import MarkerEnvironment
from planner.resolver.candidates import CandidateFinder, Wheels
from planner.resolver.direct import DirectProjects
from planner.resolver.evaluator import refuse_python
from planner.resolver.overrides import Overrides
from planner.resolver.prefetch import Fetcher, Prefetcher
from schemas.zipformat import InvalidZip

__all__ = ["Candidate", "Provider"]


MAX_TRIES_EXPECTED = 2
"""Versions of one project until a search through many of them is expected."""


MAX_LOOK_AHEAD = 32
"""Versions of one project whose metadata is fetched before it is asked for."""


REJECTIONS_BEFORE_URGENT = 5
"""Versions of a project, as uv has it: with fewer, what the user asked for first would give way
too soon; with more, a new version of the one would go with a very old one of the other."""


Causes = Sequence[RequirementInformation[Dependency, "Candidate"]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that may answer for an identifier."""

    identifier: Identifier
    wheels: Wheels

    @property
    def version(self) -> Version:
        return self.wheels[0].version

    def __str__(self) -> str:
        return f"{self.identifier} {self.version}"


class Provider(AbstractProvider[Dependency, Candidate, Identifier]):
    """Answers for one environment.

    ``direct`` are the projects that the inputs give an address for; packages may require no other.

    ``known`` holds, by project, the requirements and constraints of the user's own: they count
    for every candidate, whoever asks for it.
    """

    def __init__(
        self,
        finder: CandidateFinder,
        fetcher: Fetcher,
        prefetcher: Prefetcher,
        environment: MarkerEnvironment,
        *,
        known: Mapping[NormalizedName, Sequence[Dependency]],
        overrides: Overrides,
        direct: DirectProjects,
    ) -> None:
        self._finder = finder
        self._fetcher = fetcher
        self._prefetcher = prefetcher
        self._environment = environment
        self._known = known
        self._overrides = overrides
        self._direct = direct
        self._order: dict[Identifier, int] = {}
        self._dependencies: dict[tuple[Identifier, Version], tuple[Dependency, ...]] = {}
        self.obstacles: dict[tuple[Identifier, Version], Dependency] = {}
        """Of candidates that no choice of others can make usable, a dependency that says why."""
        self.unknown_extras: list[Candidate] = []
        """Candidates for extras that their distribution does not have."""
        self._spread = 0
        self._satisfied: dict[tuple[int, int], bool] = {}
        self._pins: dict[int, bool] = {}
        self._tries: dict[NormalizedName, int] = {}
        self._rejections: Counter[NormalizedName] = Counter()
        self._urgent: dict[NormalizedName, int] = {}

    def identify(self, requirement_or_candidate: Dependency | Candidate) -> Identifier:
        return requirement_or_candidate.identifier

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[Identifier],
        resolutions: Mapping[Identifier, Candidate],
        candidates: Mapping[Identifier, Iterator[Candidate]],
        information: Mapping[Identifier, Iterator[RequirementInformation[Dependency, Candidate]]],
        backtrack_causes: Causes,
    ) -> Iterable[Identifier]:
        """After a conflict, choose first for those who had it: that finds out soonest whether it
        is solved.
        """
        names = {cause.requirement.identifier.name for cause in backtrack_causes}
        names.update(cause.parent.identifier.name for cause in backtrack_causes if cause.parent)
        everyone = list(identifiers)
        return [one for one in everyone if one.name in names] or everyone

    def get_preference(
        self,
        identifier: Identifier,
        resolutions: Mapping[Identifier, Candidate],
        candidates: Mapping[Identifier, Iterator[Candidate]],
        information: Mapping[Identifier, Iterator[RequirementInformation[Dependency, Candidate]]],
        backtrack_causes: Causes,
    ) -> tuple[bool, int, int]:
        """What is pinned first, since there is nothing to choose; then what had to give way too
        often; then who was asked for first. So the user's own requirements get the newest
        versions, and their dependencies what is left.
        """
        pinned = any(self._is_pin(told.requirement) for told in information[identifier])
        urgency = self._urgent.get(identifier.name, len(self._urgent))
        return not pinned, urgency, self._order[identifier]

    def find_matches(
        self,
        identifier: Identifier,
        requirements: Mapping[Identifier, Iterator[Dependency]],
        incompatibilities: Mapping[Identifier, Iterator[Candidate]],
    ) -> Matches[Candidate]:
        self._order.setdefault(identifier, len(self._order))
        if identifier.refused:
            return ()
        specifiers = [dependency.specifier for dependency in requirements[identifier]]
        project = Identifier(identifier.name)
        if identifier.extra and project in requirements:
            specifiers += [dependency.specifier for dependency in requirements[project]]
        excluded = frozenset(candidate.version for candidate in incompatibilities[identifier])
        return partial(self._find, identifier, specifiers, excluded)

    def _find(
        self,
        identifier: Identifier,
        specifiers: Iterable[SpecifierSet],
        excluded: frozenset[Version] = frozenset(),
    ) -> Iterator[Candidate]:
        project = Identifier(identifier.name)
        known = (dependency.specifier for dependency in self._known.get(identifier.name, ()))
        for wheels in self._finder.find(identifier.name, [*specifiers, *known]):
            version = wheels[0].version
            hopeless = self.obstacles.keys() & {(identifier, version), (project, version)}
            if version not in excluded and not hopeless:
                yield Candidate(identifier, wheels)

    def is_satisfied_by(self, requirement: Dependency, candidate: Candidate) -> bool:
        # resolvelib asks for every pin in every round; dependencies and wheels live as long as this
        # does, and hashing a version takes longer than all the rest.
        key = id(requirement), id(candidate.wheels)
        known = self._satisfied.get(key)
        if known is None:
            known = requirement.specifier.contains(candidate.version, prereleases=True)
            self._satisfied[key] = known
        return known

    def _is_pin(self, dependency: Dependency) -> bool:
        """Whether it names an exact version."""
        key = id(dependency)
        if key not in self._pins:
            parts = dependency.specifier
            self._pins[key] = any(part.operator in {"==", "==="} for part in parts)
        return self._pins[key]

    def get_dependencies(self, candidate: Candidate) -> tuple[Dependency, ...]:
        key = candidate.identifier, candidate.version
        if key not in self._dependencies:
            self._dependencies[key] = dependencies = tuple(self._read_dependencies(candidate))
            # Of a project whose versions are given up one by one, most are looked at in vain.
            deep = self._tries[candidate.identifier.name] <= MAX_TRIES_EXPECTED
            self._prefetcher.expect(dependencies, deep=deep)
            if obstacle := next(filter(self._is_impossible, dependencies), None):
                self.obstacles[key] = obstacle
                self._dependencies[key] = (obstacle,)
        return self._dependencies[key]

    def note_rejection(self, name: NormalizedName) -> bool:
        """A version of the project does not go with what was chosen before it. One of which that
        is true of many is chosen earlier from then on: whether that has just come to be.
        """
        self._rejections[name] += 1
        if self._rejections[name] != REJECTIONS_BEFORE_URGENT:
            return False
        self._urgent[name] = len(self._urgent)
        return True

    def spread_obstacles(self) -> None:
        """Find the obstacles of candidates that were tried before what they need turned out to
        be of no use.
        """
        if len(self.obstacles) == self._spread:
            return
        # What was asked for later is needed by what was asked for before it.
        for key, dependencies in reversed(list(self._dependencies.items())):
            if key not in self.obstacles and (
                obstacle := next(filter(self._is_impossible, dependencies), None)
            ):
                self.obstacles[key] = obstacle
        self._spread = len(self.obstacles)

    def _is_impossible(self, dependency: Dependency) -> bool:
        """Whether nothing satisfies it, whatever else is chosen. resolvelib would try all
        versions of the parent, and of theirs, to find that out again for each.
        """
        if dependency.identifier.refused:
            return True
        found = list(islice(self._find(dependency.identifier, [dependency.specifier]), 2))
        if len(found) == 1:
            # There is no choice, so what this one needs is needed. (One that is being looked
            # at already, in a circle, counts as possible.)
            self.get_dependencies(found[0])
            return (found[0].identifier, found[0].version) in self.obstacles
        return not found

    def requirements(self, candidate: Candidate) -> tuple[Dependency, ...]:
        """What the metadata of ``candidate`` asks for in the environment, as it says it: that of
        all its wheels, for the lock cannot tell their targets apart.

        Raises InvalidMetadata and InvalidZip where it cannot be told.
        """
        extra = candidate.identifier.extra
        found: dict[tuple[Identifier, str], Dependency] = {}
        for metadata in self.metadata(candidate):
            for dependency in metadata.dependencies(self._environment.variables, extra):
                found.setdefault((dependency.identifier, dependency.text), dependency)
        return tuple(found.values())

    def metadata(self, candidate: Candidate) -> tuple[WheelMetadata, ...]:
        """That of its wheels. Raises InvalidMetadata and InvalidZip."""
        return tuple(map(self._fetcher.metadata, candidate.wheels))

    def _read_dependencies(self, candidate: Candidate) -> Iterator[Dependency]:
        name, extra, _ = candidate.identifier
        self._look_ahead(candidate)
        try:
            dependencies = self.requirements(candidate)
        except (InvalidMetadata, InvalidZip) as error:
            yield _refuse(candidate, str(error))
            return
        metadata = self.metadata(candidate)
        for one in metadata:
            if reason := refuse_python(one.requires_python, self._environment.python_version):
                yield _refuse(candidate, reason)
                return
        pin = SpecifierSet(f"==={candidate.version}")
        if extra is not None:
            if not any(extra in one.extras for one in metadata):
                self.unknown_extras.append(candidate)
            yield Dependency(identifier=Identifier(name), specifier=pin, text=f"{name}{pin}")
        for dependency in self._overrides.apply(dependencies):
            if dependency.url and (reason := self._refuse_address(dependency)):
                yield _refuse(candidate, reason)
                return
            # Of one project there is one version: an extra that asks for others asks for its own.
            if dependency.identifier.name == name:
                yield replace(dependency, specifier=dependency.specifier & pin)
            else:
                yield dependency

    def _refuse_address(self, dependency: Dependency) -> str | None:
        """Return why the address of a dependency of a package may not be used, if it may not."""
        name, url = dependency.identifier.name, dependency.url
        if name not in self._direct:
            return f"it asks for a file that is on no index: {dependency.text}"
        if url and not self._direct.has_address(name, url):
            return f"it requires another address than the inputs: {dependency.text}"
        return None

    def _look_ahead(self, candidate: Candidate) -> None:
        """Fetch the metadata of ever more of the next versions while versions are given up:
        one round trip for each would make a long search slow.
        """
        name = candidate.identifier.name
        tries = self._tries[name] = self._tries.get(name, 0) + 1
        if tries > MAX_TRIES_EXPECTED:
            self._prefetcher.expect_next(name, candidate.version, min(tries, MAX_LOOK_AHEAD))


def _refuse(candidate: Candidate, reason: str) -> Dependency:
    """A dependency that nothing satisfies, for a candidate that cannot be used by itself."""
    identifier = Identifier(candidate.identifier.name, refused=candidate.version)
    return Dependency(identifier=identifier, specifier=SpecifierSet(), text=reason)
