"""The answers of a search, checked by resolvelib, which knows nothing of the search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.utils import NormalizedName
from resolvelib import AbstractProvider, BaseReporter, Resolver
from resolvelib.structs import RequirementInformation

from planner.model.dependencies import Dependency, Identifier
from planner.resolver.candidates import Candidate
from planner.resolver.dependency_reader import DependencyReader

__all__ = ["check_with_resolvelib"]


Causes = Sequence[RequirementInformation[Dependency, Candidate]]


class _SelectionProvider(AbstractProvider[Dependency, Candidate, Identifier]):
    """A provider for one run of resolvelib, with one candidate for each identifier; it refuses what
    a search did not select.

    ``known`` holds, by project, the requirements and constraints of the user, which apply to every
    candidate.
    """

    def __init__(
        self,
        selection: Mapping[Identifier, Candidate],
        reader: DependencyReader,
        known: Mapping[NormalizedName, Sequence[Dependency]],
    ) -> None:
        self._selection = selection
        self._reader = reader
        self._known = known
        self._satisfied: dict[tuple[int, int], bool] = {}

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
        """Return the first, since no order leads to another answer."""
        return list(identifiers)[:1]

    def get_preference(
        self,
        identifier: Identifier,
        resolutions: Mapping[Identifier, Candidate],
        candidates: Mapping[Identifier, Iterator[Candidate]],
        information: Mapping[Identifier, Iterator[RequirementInformation[Dependency, Candidate]]],
        backtrack_causes: Causes,
    ) -> int:
        return 0

    def find_matches(
        self,
        identifier: Identifier,
        requirements: Mapping[Identifier, Iterator[Dependency]],
        incompatibilities: Mapping[Identifier, Iterator[Candidate]],
    ) -> Sequence[Candidate]:
        candidate = self._selection.get(identifier)
        known = self._known.get(identifier.name, ())
        if candidate is None or not all(
            self.is_satisfied_by(one, candidate) for one in (*requirements[identifier], *known)
        ):
            return ()
        return (candidate,)

    def is_satisfied_by(self, requirement: Dependency, candidate: Candidate) -> bool:
        # resolvelib repeats this for every pin in every round. Dependencies live as long as this.
        key = id(requirement), id(candidate)
        known = self._satisfied.get(key)
        if known is None:
            known = requirement.specifier.contains(candidate.version, prereleases=True)
            self._satisfied[key] = known
        return known

    def get_dependencies(self, candidate: Candidate) -> Sequence[Dependency]:
        return self._reader.dependencies(candidate)


def check_with_resolvelib(
    roots: Sequence[Dependency],
    selection: Mapping[Identifier, Candidate],
    reader: DependencyReader,
    known: Mapping[NormalizedName, Sequence[Dependency]],
) -> None:
    """Raise what resolvelib raises if ``selection`` does not satisfy everything."""
    reporter: BaseReporter[Dependency, Candidate, Identifier] = BaseReporter()
    result = Resolver(_SelectionProvider(selection, reader, known), reporter).resolve(roots)
    assert result.mapping.keys() == selection.keys()
