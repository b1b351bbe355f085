"""The partial solution of a search: what it has decided, what follows, and at which level."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

from planner.resolver.incompatibility import NOT_SELECTED, Incompatibility, Package

__all__ = ["PartialSolution"]


class Assignment(NamedTuple):
    """A step in which what is allowed of a package became less."""

    package: Package
    before: int
    after: int
    level: int
    """The number of decisions made before it, itself included."""
    cause: Incompatibility | None
    """What it follows from; None for a decision."""


class PartialSolution:
    """The assignments of a search in their order, which can be taken back; a Search owns it."""

    def __init__(self) -> None:
        self._trail: list[Assignment] = []
        self._of_package: defaultdict[Package, list[int]] = defaultdict(list)
        self.level = 0
        self.decisions: dict[Package, int] = {}
        """The selected release, a set of one, of each package that is decided."""
        self.waiting: dict[Package, int] = {}
        """The packages that are required and not decided, with their order."""
        self.touched: set[Package] = set()
        """The packages that changed in any way, until its owner clears it."""
        self._order = count()

    def decide(self, package: Package, one: int) -> None:
        """Select the release in a set of one."""
        self.level += 1
        self.decisions[package] = one
        del self.waiting[package]
        self._assign(package, one, None)

    def derive(self, package: Package, versions: int, cause: Incompatibility) -> None:
        """Forbid ``versions`` of ``package``, as follows from ``cause``."""
        if package.allowed & NOT_SELECTED & versions:
            self.waiting[package] = next(self._order)
        self._assign(package, package.allowed & ~versions, cause)

    def _assign(self, package: Package, after: int, cause: Incompatibility | None) -> None:
        self._of_package[package].append(len(self._trail))
        self._trail.append(Assignment(package, package.allowed, after, self.level, cause))
        package.allowed = after
        self.touched.add(package)
        if self.level == 0:
            package.possible = after

    def backtrack(self, level: int) -> None:
        """Take back all assignments made after ``level`` decisions."""
        while self._trail and self._trail[-1].level > level:
            package, before, after, _, cause = self._trail.pop()
            self._of_package[package].pop()
            package.allowed = before
            self.touched.add(package)
            if cause is None:
                del self.decisions[package]
                self.waiting[package] = next(self._order)
            elif before & NOT_SELECTED and not after & NOT_SELECTED:
                self.waiting.pop(package, None)
        self.level = level

    def is_independent(self, package: Package, versions: int) -> bool:
        """Return True if none of ``versions`` is allowed even before the first decision."""
        return not package.possible & versions

    def requiring(self, package: Package) -> tuple[Package, ...]:
        """Return the packages of which the selection requires ``package``; none if the user does,
        or nothing.
        """
        return self._cause_of(package, package.everything & ~NOT_SELECTED)

    def excluding(self, package: Package, versions: int) -> tuple[Package, ...]:
        """Return the packages of which the selection leaves nothing but ``versions`` of
        ``package``; that itself if it is selected.
        """
        return self._cause_of(package, versions) or (package,)

    def _cause_of(self, package: Package, versions: int) -> tuple[Package, ...]:
        position = self._first_within(package, versions, package.everything)
        cause = self._trail[position].cause if position >= 0 else None
        return tuple(one for one in cause.terms if one != package) if cause else ()

    def satisfier(self, incompatibility: Incompatibility) -> tuple[Assignment, int]:
        """Return the assignment that satisfied ``incompatibility``, whose terms are all
        satisfied, and the highest level of the others that were necessary.
        """
        earliest = {
            package: self._first_within(package, versions, package.everything)
            for package, versions in incompatibility.terms.items()
        }
        found = self._trail[max(earliest.values())]
        others = [
            position for package, position in earliest.items() if package is not found.package
        ]
        if found.cause is not None:
            # Earlier assignments of the same package may have been necessary, too.
            package = found.package
            derived = package.everything & ~found.cause.terms[package]
            others.append(self._first_within(package, incompatibility.terms[package], derived))
        return found, self._level_of(others)

    def _first_within(self, package: Package, versions: int, given: int) -> int:
        """Return the position of the first assignment of ``package`` that, with what is
        ``given``, allows nothing but ``versions``; -1 if that was true from the beginning.
        """
        if not package.everything & given & ~versions:
            return -1
        positions = self._of_package[package]
        # What is allowed only becomes less, and a package may have thousands of assignments.
        found = bisect_left(
            positions, True, key=lambda one: not self._trail[one].after & given & ~versions
        )
        if found == len(positions):
            raise AssertionError(f"a term for {package.identifier} is not satisfied")
        return positions[found]

    def _level_of(self, positions: Iterable[int]) -> int:
        return max((self._trail[one].level for one in positions if one >= 0), default=0)
