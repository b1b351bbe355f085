"""Why a release that an index has is not the one that a plan chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.model.dependencies import pinned_versions
from planner.planning.newest import MAX_JUDGED
from planner.resolver.candidates import Candidate
from planner.resolver.releases import Release
from planner.resolver.resolution import ResolvedPackage
from planner.resolver.solve import Basis, Solution
from planner.review.graph import Edge
from schemas.text import enumerate_some

__all__ = ["Choice", "Hindrances", "basis_of"]


_REFUSED = 1
"""The kind of reason that is about files."""


Choice = tuple[Solution, ResolvedPackage]
"""A package, and the solution that has it."""


def basis_of(solution: Solution) -> Basis:
    """Return what a solution that was just found was chosen from."""
    assert solution.basis is not None, "a search found it"
    return solution.basis


class Hindrances:
    """The reasons against the releases that no solution of one plan has; made when it is found."""

    def __init__(self, solutions: Iterable[Solution]) -> None:
        self._demands = {id(one): _demands_of(basis_of(one)) for one in solutions}
        self._kinds: tuple[Callable[[Choice, Release], str], ...] = (
            self._find_pin,
            _find_refusal,
            self._find_demands,
            _find_ordering,
            _find_obstacle,
            _find_conflict,
        )

    def find(
        self, newest: Release, choices: Sequence[Choice], older: Iterable[Release]
    ) -> Iterator[tuple[Version, str]]:
        """Yield why the ``newest`` release of a project is not among ``choices``; and why the
        newest of the ``older`` is not that has usable files and another reason. Nothing if no
        single reason is known.

        May ask the indexes, and raises what reading metadata raises.
        """
        told: int | None = None
        for release in islice((newest, *older), MAX_JUDGED):
            behind = [one for one in choices if one[1].version < release.version]
            if not behind:
                return
            kind, reason = self._reason(release, behind)
            if told is None and reason:
                yield release.version, reason
                told = kind
            elif reason and kind not in {told, _REFUSED}:
                yield release.version, reason
                return

    def _reason(self, release: Release, behind: Sequence[Choice]) -> tuple[int, str]:
        """Return the first kind of reason that there is, and the reason of the first that has one;
        with its targets, if others have none or another.
        """
        for kind, find in enumerate(self._kinds):
            reasons = [find(one, release) for one in behind]
            if reason := next(filter(None, reasons), ""):
                environment = str(behind[reasons.index(reason)][0].environment)
                is_told = environment in reason or all(one == reason for one in reasons)
                return kind, reason if is_told else f"{reason} (for {environment})"
        return len(self._kinds), ""

    def _find_pin(self, choice: Choice, release: Release) -> str:
        """Return the line of the inputs that pins another version: whatever else is true of
        ``release``, it decides.
        """
        for edge in self._demands[id(choice[0])].get(release.project, ()):
            pins = pinned_versions([edge.dependency.specifier])
            if edge.parent is None and any(one != release.version for one in pins):
                return str(edge)
        return ""

    def _find_demands(self, choice: Choice, release: Release) -> str:
        """Return the requirements on the project that exclude ``release``."""
        excluding = (
            str(edge)
            for edge in self._demands[id(choice[0])].get(release.project, ())
            if not edge.dependency.specifier.contains(release.version, prereleases=True)
        )
        return enumerate_some(dict.fromkeys(excluding), 1)


def _demands_of(basis: Basis) -> Mapping[NormalizedName, Sequence[Edge]]:
    """Return the requirements by the project that they are on: first those of the inputs. What a
    project requires of itself, to pin its extras, is left out.
    """
    found = {
        name: [Edge(None, None, one) for one in requirements]
        for name, requirements in basis.known.items()
    }
    for identifier, candidate in basis.selection.items():
        for one in basis.reader.dependencies(candidate):
            if one.identifier.name != identifier.name:
                edge = Edge(identifier, candidate.version, one)
                found.setdefault(one.identifier.name, []).append(edge)
    return found


def _find_refusal(choice: Choice, release: Release) -> str:
    """Return why the files of ``release`` cannot be used; empty if they can."""
    return basis_of(choice[0]).finder.judgement(release).refusal


def _find_ordering(choice: Choice, release: Release) -> str:
    """Return that older versions are preferred, if they are."""
    is_first = basis_of(choice[0]).finder.prefers_oldest(release.project)
    return "--resolution prefers older versions" if is_first else ""


def _find_obstacle(choice: Choice, release: Release) -> str:
    """Return the obstacle that the search met when it tried ``release``."""
    version, reason = choice[1].passed_over or (None, "")
    return reason if version == release.version else ""


def _find_conflict(choice: Choice, release: Release) -> str:
    """Return a requirement of ``release`` that the chosen version of another project breaks."""
    basis = basis_of(choice[0])
    wheels = basis.finder.judgement(release).wheels
    if wheels is None or any(one.file.is_source for one in wheels):
        return ""  # reading the requirements of a source may mean running it
    chosen = {one.name: candidate.version for one, candidate in basis.selection.items()}
    for identifier in basis.selection:
        if identifier.name != release.project:
            continue
        for one in basis.reader.dependencies(Candidate(identifier, wheels)):
            if one.identifier.refused:
                return one.text
            version = chosen.get(one.identifier.name, release.version)
            is_other = one.identifier.name != release.project
            if is_other and not one.specifier.contains(version, prereleases=True):
                return f"it requires {one.text}, and {version} is chosen"
    return ""
