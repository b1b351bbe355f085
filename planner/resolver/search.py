"""A search for one release per package that learns from its conflicts (PubGrub).

Each conflict is traced to the decisions that caused it and remembered as an incompatibility, so
that the search goes back to the last of these decisions at once and never makes them together
again.
Versions that cannot go with what is decided are passed over without a decision.

Source: https://github.com/dart-lang/pub/blob/master/doc/solver.md. As in uv, a project that often
has to give way is decided earlier.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import chain

from packaging.utils import NormalizedName

from planner.model.dependencies import Dependency, Identifier
from planner.resolver.candidates import Candidate, CandidateFinder
from planner.resolver.dependency_reader import DependencyReader
from planner.resolver.incompatibility import NOT_SELECTED, Incompatibility, Package
from planner.resolver.partial_solution import PartialSolution
from planner.resolver.triggers import Triggers

__all__ = ["Contradiction", "Search", "TooManySteps"]


MAX_STEPS = 200_000
"""Decisions and rejected versions; a real project takes one of them for each package."""


Preference = tuple[bool, bool, int, bool, int]
"""The place of a package among those that wait for a decision; no two are equal."""


REJECTIONS_BEFORE_URGENT = 5
"""Versions of a project, as uv has it: with fewer, what the user required first would give way too
soon; with more, a new version of the one would go with a very old one of the other."""


class Contradiction(Exception):
    """The requirements contradict each other; ``proof`` is the incompatibility without terms."""

    def __init__(self, proof: Incompatibility) -> None:
        super().__init__()
        self.proof = proof


class TooManySteps(Exception):
    """The search was given up."""


class Search:
    """A search in one environment, which may be repeated with other preferences and keeps what it
    has learned; its solver owns it.

    ``known`` holds, by project, the requirements and constraints of the user, which apply to every
    candidate.
    """

    def __init__(
        self,
        finder: CandidateFinder,
        reader: DependencyReader,
        known: Mapping[NormalizedName, Sequence[Dependency]],
    ) -> None:
        self._finder = finder
        self._reader = reader
        self._known = known
        self._packages: dict[Identifier, Package] = {}
        self._ranks: dict[NormalizedName, int] = {}
        self._banned: dict[Package, Incompatibility] = {}
        self._merged: dict[tuple[Package, Package, int], Incompatibility] = {}
        self._triggers = Triggers()
        self._solution = PartialSolution()
        self._changed: dict[Package, None] = {}
        self._rejections: Counter[NormalizedName] = Counter()
        self._obstacles: defaultdict[NormalizedName, set[NormalizedName]] = defaultdict(set)
        """By project, the others whose selection was in the way of one of its versions."""
        self._urgent: set[NormalizedName] = set()
        self._queue: list[tuple[Preference, Package]] = []
        self.tried: dict[tuple[Identifier, int], None] = {}
        """The releases that were looked at, each a set of one, in order."""
        self.first_met: dict[Identifier, tuple[Dependency, Candidate | None]] = {}
        """For each identifier the first dependency on it, and the candidate that has it."""

    def solve(self, roots: Iterable[Dependency]) -> dict[Identifier, Candidate]:
        """Return a candidate for everything that ``roots`` require, in the order of decision.

        Raise Contradiction, TooManySteps, and what fetching pages and metadata raises.
        """
        self._solution.backtrack(0)
        if not self.first_met:
            self._require_all(roots)
        for _ in range(MAX_STEPS):
            self._propagate()
            package = self._next()
            if package is None:
                return {
                    one.identifier: self._candidate(one, version)
                    for one, version in self._solution.decisions.items()
                }
            self._choose(package)
        raise TooManySteps

    def banned(self, identifier: Identifier) -> int:
        """Return the set of the versions that cannot be selected, whatever else is."""
        package = self._packages.get(identifier)
        return self._banned[package].terms[package] if package in self._banned else 0

    def _package(self, identifier: Identifier) -> Package:
        found = self._packages.get(identifier)
        if found is None:
            project = self._finder.project(identifier.name)
            rank = self._ranks.setdefault(identifier.name, len(self._ranks))
            found = self._packages[identifier] = Package(identifier, project, rank)
            if identifier.extra is not None:
                found.base = self._package(Identifier(identifier.name))
                found.base.extras.append(found)
            elif forbidden := self._forbidden(found):
                self._ban(found, forbidden)
        return found

    def _forbidden(self, package: Package) -> int:
        """Return the versions that the user's own requirements and constraints exclude."""
        known = self._known.get(package.identifier.name, ())
        specifiers = (one.specifier for one in known)
        allowed = self._finder.matching_all(package.identifier.name, specifiers)
        return package.project.all & ~allowed

    def _add(self, incompatibility: Incompatibility) -> None:
        self._triggers.add(incompatibility)
        self._changed.update(dict.fromkeys(incompatibility.terms))

    def _ban(self, package: Package, versions: int, dependency: Dependency | None = None) -> None:
        known = self._banned.get(package)
        if known is None:
            known = self._banned[package] = Incompatibility({package: versions}, dependency)
            self._add(known)
        else:
            known.terms[package] |= versions
            self._changed[package] = None

    def _missing(self, package: Package, dependency: Dependency) -> int:
        """Return what does not satisfy ``dependency``, which is on ``package``."""
        suitable = self._finder.matching(package.identifier.name, dependency.specifier)
        return package.everything & ~suitable

    def _require_all(self, roots: Iterable[Dependency]) -> None:
        """Learn what the user requires. Raise Contradiction if nothing satisfies some of it."""
        contradictions = []
        for dependency in roots:
            self.first_met.setdefault(dependency.identifier, (dependency, None))
            package = self._package(dependency.identifier)
            missing = package.everything & ~self._finder.matching(
                package.identifier.name, dependency.specifier
            )
            if missing != package.everything:
                self._add(Incompatibility({package: missing}, dependency))
            else:
                contradictions.append(Incompatibility({}, dependency))
        if contradictions:
            raise Contradiction(contradictions[0])

    def _require(
        self, parent: Candidate, version: int, dependency: Dependency
    ) -> tuple[Package, int]:
        """Learn that ``version`` of ``parent`` has ``dependency``. Return the required package and
        what of it does not satisfy the dependency.
        """
        self.first_met.setdefault(dependency.identifier, (dependency, parent))
        package = self._package(dependency.identifier)
        missing = package.everything & ~self._finder.matching(
            package.identifier.name, dependency.specifier
        )
        dependent = self._package(parent.identifier)
        if missing == package.everything:
            self._ban(dependent, version, dependency)
            return package, missing
        if dependent.project is package.project:
            # Both have the same version anyway.
            if version & missing:
                self._ban(dependent, version, dependency)
            if package.base is None or package is dependent:
                return package, 0
            missing = NOT_SELECTED
        self._changed[package] = None
        # Versions that require the same are one incompatibility.
        key = dependent, package, missing
        known = self._merged.get(key)
        if known is None:
            known = self._merged[key] = Incompatibility(
                {dependent: 0, package: missing}, dependency
            )
            self._changed[dependent] = None
        if not known.terms[dependent] & version:
            self._triggers.add_requirement(known, dependent, version)
        return package, missing

    def _propagate(self) -> None:
        """Derive what follows from the partial solution, going back after each conflict."""
        changed = self._changed
        while changed:
            package, _ = changed.popitem()
            for incompatibility in chain(_ties(package), self._triggers.of(package)):
                if self._apply(incompatibility):
                    changed[package] = None
                    self._learn(incompatibility)
                    break

    def _apply(self, incompatibility: Incompatibility) -> bool:
        """Derive the negation of the last term if all others are satisfied; return True if that
        one is satisfied too, which is a conflict.
        """
        last = None
        for package, versions in incompatibility.terms.items():
            allowed = package.allowed
            if not allowed & ~versions:
                continue
            if last is not None or not allowed & versions:
                return False
            last = package
        if last is None:
            return True
        self._solution.derive(last, incompatibility.terms[last], incompatibility)
        self._changed[last] = None
        return False

    def _learn(self, conflict: Incompatibility) -> None:
        """Go back to before the last decision that took part in ``conflict``, and remember what
        it shows. Raise Contradiction if no decision took part.
        """
        while conflict.terms:
            satisfier, level = self._solution.satisfier(conflict)
            if satisfier.cause is None or level < satisfier.level:
                self._solution.backtrack(level)
                if conflict.parents is not None:
                    self._add(conflict)
                self._changed.update(dict.fromkeys(conflict.terms))
                return
            conflict = conflict.resolve(satisfier.cause, satisfier.package)
        raise Contradiction(conflict)

    def _next(self) -> Package | None:
        """Return the package to decide: one without a choice, then what had to give way too often,
        then what was required first. So the user's own requirements get the newest versions, and
        their dependencies what is left.
        """
        for package in self._solution.touched:
            if package in self._solution.waiting:
                heappush(self._queue, (self._preference(package), package))
        self._solution.touched.clear()
        # What was queued before its last change does not count.
        while self._queue:
            preference, package = self._queue[0]
            if package in self._solution.waiting and preference == self._preference(package):
                return package
            heappop(self._queue)
        return None

    def _preference(self, package: Package) -> Preference:
        name, extra, _ = package.identifier
        return (
            extra is not None or bool(package.allowed & (package.allowed - 1)),
            name not in self._urgent,
            package.rank,
            extra is not None,
            self._solution.waiting[package],
        )

    def _choose(self, package: Package) -> None:
        """Select the best version of ``package`` that is usable and goes with what is decided, or
        learn that one does not.
        """
        name = package.identifier.name
        if package.base in self._solution.waiting:
            # The version of an extra is that of its project.
            package = package.base
        one = self._finder.best(name, package.allowed)
        wheels = self._finder.wheels(name, one) if one else None
        if one:
            self.tried[package.identifier, one] = None
        if wheels is None:
            self._ban(package, one or package.allowed)
            return
        candidate = Candidate(package.identifier, wheels)
        blocked = False
        counts = False
        for dependency in self._reader.dependencies(candidate):
            if dependency.identifier.refused:
                self._ban(package, one, dependency)
                continue
            other, missing = self._require(candidate, one, dependency)
            if not other.allowed & ~missing:
                blocked = True
                counts = self._note_obstacle(name, other, missing) or counts
        self._changed[package] = None
        blocked = blocked or bool(self.banned(package.identifier) & one)
        if not blocked:
            self._solution.decide(package, one)
        elif counts:
            self._note_rejection(package)

    def _note_obstacle(self, name: NormalizedName, other: Package, excluded: int) -> bool:
        """Return whether a version of ``name`` does not go with decisions whose order may be
        changed: nothing but ``excluded`` is allowed of ``other``, which it requires.

        What is so before the first decision does not count, nor does what has taken the lead from
        ``name``: each could take the lead from the other in turns.
        """
        if self._solution.is_independent(other, other.everything & ~excluded):
            return False
        obstacles = {one.identifier.name for one in self._solution.excluding(other, excluded)}
        self._obstacles[name] |= obstacles
        return not any(name in self._obstacles[one] for one in obstacles & self._urgent)

    def _note_rejection(self, package: Package) -> None:
        """Count a version that does not go with what is decided. A project of which many do not
        is decided earlier from then on; if still as many do not, so is what requires it, which
        would otherwise have to give way one version after the other.
        """
        name = package.identifier.name
        self._rejections[name] += 1
        if self._rejections[name] % REJECTIONS_BEFORE_URGENT:
            return
        names = {name}
        if name in self._urgent:
            names = {one.identifier.name for one in self._solution.requiring(package)}
        if names - self._urgent:
            self._urgent |= names
            self._solution.touched.update(self._solution.waiting)
            self._solution.backtrack(0)

    def _candidate(self, package: Package, one: int) -> Candidate:
        wheels = self._finder.wheels(package.identifier.name, one)
        assert wheels is not None
        return Candidate(package.identifier, wheels)


def _ties(package: Package) -> Iterator[Incompatibility]:
    """Yield what excludes that a project and its extras have different versions, as far as it
    follows from what is allowed of ``package``.
    """
    for extra in (package,) if package.base else package.extras:
        base = extra.base
        assert base is not None
        if extra.allowed & ~(base.allowed | NOT_SELECTED):
            missing = extra.everything & ~(base.allowed | NOT_SELECTED)
            yield Incompatibility({base: base.allowed, extra: missing})
        if not extra.allowed & NOT_SELECTED and base.allowed & ~extra.allowed:
            missing = base.everything & ~extra.allowed
            yield Incompatibility({extra: extra.allowed, base: missing})
