"""The search of one environment, which takes the answer of another one if it would find the same.

Most targets of a plan agree: what differs is the platform of a few wheels, or a marker of a few
requirements. A search depends on nothing but what it asks: which releases have usable wheels, and
what they require. If all that the search of another environment has asked has the same answer here,
the same search here would select the same releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName

from planner.model.dependencies import Dependency, Identifier
from planner.model.policy import Preferences
from planner.resolver.candidates import Candidate, CandidateFinder
from planner.resolver.dependency_reader import DependencyReader
from planner.resolver.releases import Project, compares_texts
from planner.resolver.search import Search

__all__ = ["EnvironmentSearch"]


Known = Mapping[NormalizedName, Sequence[Dependency]]


@dataclass(eq=False, slots=True)
class EnvironmentSearch:
    """The search for ``roots`` in one environment, which may be repeated; its solver owns it.

    ``known`` holds, by project, the user's own requirements and constraints.
    """

    finder: CandidateFinder
    reader: DependencyReader
    roots: Sequence[Dependency]
    known: Known
    own: Search = field(init=False)
    _leader: EnvironmentSearch | None = None
    """The one whose answers it takes."""
    _taken: list[Preferences] = field(default_factory=list)
    """What was preferred when it took an answer."""
    _preferred: Preferences = field(default_factory=dict)
    _selection: Mapping[Identifier, Candidate] | None = None

    def __post_init__(self) -> None:
        self.own = Search(self.finder, self.reader, self.known)

    @property
    def search(self) -> Search:
        """Return the search that found the last answer."""
        return self._leader.own if self._leader else self.own

    def solve(
        self, preferred: Preferences, others: Iterable[EnvironmentSearch]
    ) -> Mapping[Identifier, Candidate]:
        """Return the selection that prefers these versions: that of one of ``others``, which have
        been solved, if it is the same. Raise what ``Search.solve`` raises.
        """
        self.finder.prefer(preferred)
        self._preferred, self._selection = preferred, None
        # A search remembers what it has learned, so it is followed from the beginning or never.
        is_first = self._leader is None and not self.own.first_met
        for other in others if is_first else filter(None, [self._leader]):
            if self._agrees_with(other):
                self._leader = other
                self._taken.append(preferred)
                self._selection = self._taken_from(other)
                return self._selection
        self._leader = None
        for before in self._taken:
            self.finder.prefer(before)
            self.own.solve(self.roots)
        self._taken.clear()
        self.finder.prefer(preferred)
        self._selection = self.own.solve(self.roots)
        return self._selection

    def _taken_from(self, other: EnvironmentSearch) -> dict[Identifier, Candidate]:
        found = {}
        for identifier, candidate in (other._selection or {}).items():
            one = other.finder.project(identifier.name).set_of(candidate.version)
            wheels = self.finder.wheels(identifier.name, one)
            assert wheels is not None
            found[identifier] = Candidate(identifier, wheels)
        return found

    def _agrees_with(self, other: EnvironmentSearch) -> bool:
        """Return whether all that the search of ``other`` has asked has the same answer here."""
        return (
            other._leader is None
            and other._selection is not None
            and self._require_the_same(self.roots, other.roots, other)
            and self.known.keys() == other.known.keys()
            and all(
                self._require_the_same(self.known[name], other.known[name], other)
                for name in self.known
            )
            and all(self._meets_the_same(*one, other) for one in other.own.tried)
        )

    def _meets_the_same(self, identifier: Identifier, one: int, other: EnvironmentSearch) -> bool:
        name = identifier.name
        if not _are_alike(self.finder.project(name), other.finder.project(name)):
            return False
        if self._preferred.get(name) != other._preferred.get(name):
            return False
        here, there = self.finder.wheels(name, one), other.finder.wheels(name, one)
        if here is None or there is None:
            return here is there
        # A pin compares versions as they are spelled.
        if str(here[0].version) != str(there[0].version):
            return False
        return self._require_the_same(
            self.reader.dependencies(Candidate(identifier, here)),
            other.reader.dependencies(Candidate(identifier, there)),
            other,
        )

    def _require_the_same(
        self, here: Sequence[Dependency], there: Sequence[Dependency], other: EnvironmentSearch
    ) -> bool:
        return len(here) == len(there) and all(
            self._is_same(one, another, other) for one, another in zip(here, there, strict=True)
        )

    def _is_same(self, one: Dependency, another: Dependency, other: EnvironmentSearch) -> bool:
        if one is not another and _values(one) != _values(another):
            return False
        name = one.identifier.name
        return not compares_texts(one.specifier) or (
            self.finder.matching(name, one.specifier)
            == other.finder.matching(name, another.specifier)
        )


def _values(dependency: Dependency) -> tuple[Identifier, SpecifierSet, str, str, str | None]:
    spelled = str(dependency.specifier)
    return dependency.identifier, dependency.specifier, spelled, dependency.text, dependency.url


def _are_alike(project: Project, other: Project) -> bool:
    """Return whether sets of releases of both mean the same: a project that the inputs require by
    its address is opened for each environment.
    """
    return project is other or (
        project.exists == other.exists
        and [list(map(str, one.spellings)) for one in project.releases]
        == [list(map(str, one.spellings)) for one in other.releases]
    )
