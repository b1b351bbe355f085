"""The dependencies of a candidate in one environment, read from the metadata of its wheels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.errors import ManyDamaged
from planner.metadata.core_metadata import InvalidMetadata, WheelMetadata
from planner.model.dependencies import Dependency, Identifier
from planner.model.environments import MarkerEnvironment
from planner.resolver.candidates import Candidate
from planner.resolver.direct import DirectProjects
from planner.resolver.evaluator import refuse_python
from planner.resolver.overrides import Overrides
from planner.resolver.prefetch import Fetcher, Prefetcher
from planner.resolver.requirement_selector import RequirementSelector
from schemas.zipformat import InvalidZip

__all__ = ["DependencyReader"]


MAX_TRIES_EXPECTED = 2
"""Versions of one project until a search through many of them is expected."""


MAX_LOOK_AHEAD = 32
"""Versions of one project whose metadata is fetched before the resolver needs it."""


LOOK_AHEAD_EVERY = MAX_LOOK_AHEAD // 2
"""Tries after which the next versions are requested in a long search; half of them are on their way
then, so the search does not wait."""


MAX_DAMAGED = 1_000
"""Versions of one project that may turn out to be damaged, each after a request or more. Beyond is
no damage but an index that lists what it does not have."""


class DependencyReader:
    """A reader of dependencies for one environment, which remembers them; its solver owns it.

    ``direct`` are the projects of which the inputs give an address; no distribution may require a
    file at another address.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        prefetcher: Prefetcher,
        environment: MarkerEnvironment,
        selector: RequirementSelector,
        overrides: Overrides,
        direct: DirectProjects,
    ) -> None:
        self._fetcher = fetcher
        self._prefetcher = prefetcher
        self._environment = environment
        self._selector = selector
        self._overrides = overrides
        self._direct = direct
        self.known: dict[tuple[Identifier, Version], tuple[Dependency, ...]] = {}
        """The dependencies that have been read."""
        self.unknown_extras: set[tuple[Identifier, Version]] = set()
        """Extras that their distribution does not have, with its version."""
        self._tries: dict[NormalizedName, int] = {}
        self._damaged: dict[NormalizedName, set[Version]] = {}

    def dependencies(self, candidate: Candidate) -> tuple[Dependency, ...]:
        """Return what selecting ``candidate`` requires, overrides applied.

        For a candidate that cannot be used by itself, that is one dependency which nothing
        satisfies. Raise what fetching the metadata raises, and ManyDamaged.
        """
        key = candidate.identifier, candidate.version
        if key not in self.known:
            self.known[key] = dependencies = tuple(self._read(candidate))
            # Of a project of which many versions are tried, most are read in vain.
            deep = self._tries[candidate.identifier.name] <= MAX_TRIES_EXPECTED
            self._prefetcher.expect(dependencies, deep=deep)
        return self.known[key]

    def requirements(self, candidate: Candidate) -> tuple[Dependency, ...]:
        """Return what all wheels of ``candidate`` require in the environment, as the metadata
        says it: a lock cannot tell the targets of these wheels apart.

        Raise InvalidMetadata and InvalidZip if the metadata cannot be read.
        """
        extra = candidate.identifier.extra
        found: dict[tuple[Identifier, str], Dependency] = {}
        for metadata in self.metadata(candidate):
            for requirement in metadata.requires_of.of(extra):
                for dependency in self._selector.select(requirement, extra):
                    found.setdefault((dependency.identifier, dependency.text), dependency)
        return tuple(found.values())

    def metadata(self, candidate: Candidate) -> tuple[WheelMetadata, ...]:
        """Return that of each wheel of ``candidate``. Raise InvalidMetadata and InvalidZip."""
        return tuple(map(self._fetcher.metadata, candidate.wheels))

    def _read(self, candidate: Candidate) -> Iterator[Dependency]:
        name, extra, _ = candidate.identifier
        self._look_ahead(candidate)
        try:
            dependencies = self.requirements(candidate)
        except (InvalidMetadata, InvalidZip) as error:
            damaged = self._damaged.setdefault(name, set())
            damaged.add(candidate.version)
            if len(damaged) > MAX_DAMAGED:
                raise ManyDamaged(name, MAX_DAMAGED, candidate.version, str(error)) from None
            yield _refuse(candidate, str(error), is_damage=True)
            return
        metadata = self.metadata(candidate)
        for one in metadata:
            if reason := refuse_python(one.requires_python, self._environment.python_version):
                yield _refuse(candidate, reason)
                return
        pin = SpecifierSet(f"==={candidate.version}")
        if extra is not None:
            if not any(extra in one.extras for one in metadata):
                self.unknown_extras.add((candidate.identifier, candidate.version))
            yield Dependency(identifier=Identifier(name), specifier=pin, text=f"{name}{pin}")
        for dependency in self._overrides.apply(dependencies):
            if dependency.url and (reason := self._refuse_address(dependency)):
                yield _refuse(candidate, reason)
                return
            # One version of a project is selected: an extra that requires others of the same
            # project requires them at its own version.
            if dependency.identifier.name == name:
                yield replace(dependency, specifier=dependency.specifier & pin)
            else:
                yield dependency

    def _refuse_address(self, dependency: Dependency) -> str | None:
        """Return why the address of a dependency of a distribution may not be used, or None."""
        name, url = dependency.identifier.name, dependency.url
        if name not in self._direct:
            return f"it requires a file that is not on an index: {dependency.text}"
        if url and not self._direct.has_address(name, url):
            return f"it requires another address than the inputs: {dependency.text}"
        return None

    def _look_ahead(self, candidate: Candidate) -> None:
        """Fetch the metadata of ever more of the following versions while versions are rejected:
        one round trip for each would make a long search slow.
        """
        name = candidate.identifier.name
        tries = self._tries[name] = self._tries.get(name, 0) + 1
        is_due = tries % LOOK_AHEAD_EVERY == 0 or tries < LOOK_AHEAD_EVERY
        if tries > MAX_TRIES_EXPECTED and is_due:
            self._prefetcher.expect_next(name, candidate.version, min(tries, MAX_LOOK_AHEAD))


def _refuse(candidate: Candidate, reason: str, *, is_damage: bool = False) -> Dependency:
    """Return a dependency that nothing satisfies, for a candidate that cannot be used."""
    identifier = Identifier(candidate.identifier.name, refused=candidate.version)
    return Dependency(
        identifier=identifier, specifier=SpecifierSet(), text=reason, is_damage=is_damage
    )
