"""The incompatibilities from which something may follow when less is allowed of a package.

Nightly builds pin each other: each of a thousand versions of a project requires its own version of
others. So a project takes part in thousands of incompatibilities, of which a change concerns a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from planner.resolver.incompatibility import NOT_SELECTED, Incompatibility, Package

__all__ = ["Triggers"]


Entry = tuple[int, int, Incompatibility]
"""When it was learned; what its term leaves of the package; and the incompatibility."""


_WORTH_A_LOOK_UP = 8
"""Requirements of one package on another; fewer are looked at as fast as looked up."""


@dataclass(slots=True)
class _Requirements:
    """What the versions of one package require of another."""

    entries: list[Entry] = field(default_factory=list)
    of_version: defaultdict[int, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    """By the bit of the version that has the requirement."""
    left_out: set[Incompatibility] = field(default_factory=set)
    """Those of versions that cannot be selected whatever is decided."""
    limit: int = _WORTH_A_LOOK_UP
    """Entries until such are left out."""

    def of(self, dependent: Package) -> Iterable[Entry]:
        """Return those that allowed versions of ``dependent`` may have."""
        if len(self.entries) <= _WORTH_A_LOOK_UP:
            return self.entries
        if not dependent.allowed & (dependent.allowed - 1):
            return self.of_version.get(dependent.allowed.bit_length(), ())
        if len(self.entries) > self.limit:
            possible = dependent.possible
            known = self.entries
            self.entries = [one for one in known if one[2].terms[dependent] & possible]
            self.left_out.update({one[2] for one in known} - {one[2] for one in self.entries})
            self.limit = 2 * len(self.entries) + _WORTH_A_LOOK_UP
        return self.entries


@dataclass(slots=True)
class _Terms:
    """The incompatibilities that have a term for one package."""

    alone: list[Entry] = field(default_factory=list)
    """Those that have no other term."""
    learned: list[Entry] = field(default_factory=list)
    """Those with others that are not the requirement of a version."""
    required: defaultdict[Package, _Requirements] = field(
        default_factory=lambda: defaultdict(_Requirements)
    )
    """What is required of it, by the package that has the requirement."""
    requires: defaultdict[int, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    """What it requires itself, by the bit of the version that has the requirement."""


class Triggers:
    """The incompatibilities of a search, found by what changes; the search owns it."""

    def __init__(self) -> None:
        self._terms: defaultdict[Package, _Terms] = defaultdict(_Terms)
        self._order: dict[Incompatibility, int] = {}

    def add(self, incompatibility: Incompatibility) -> None:
        """Add one that never gets further versions, or has a single term."""
        order = self._order[incompatibility] = len(self._order)
        for package, versions in incompatibility.terms.items():
            terms = self._terms[package]
            known = terms.learned if len(incompatibility.terms) > 1 else terms.alone
            known.append((order, package.everything & ~versions, incompatibility))

    def add_requirement(
        self, incompatibility: Incompatibility, dependent: Package, version: int
    ) -> None:
        """Add ``version``, a set of one, of ``dependent`` to those that have the same requirement,
        which ``incompatibility`` states.
        """
        is_new = incompatibility not in self._order
        order = self._order.setdefault(incompatibility, len(self._order))
        package, missing = next(
            term for term in incompatibility.terms.items() if term[0] is not dependent
        )
        entry = order, package.everything & ~missing, incompatibility
        required = self._terms[package].required[dependent]
        if is_new or incompatibility in required.left_out:
            required.left_out.discard(incompatibility)
            required.entries.append(entry)
        incompatibility.terms[dependent] |= version
        required.of_version[version.bit_length()].append(entry)
        self._terms[dependent].requires[version.bit_length()].append(entry)

    def of(self, package: Package) -> Iterator[Incompatibility]:
        """Yield those from which something may follow because less is allowed of ``package``: its
        term is satisfied. The newest are first, since they hold what was learned.
        """
        terms, allowed = self._terms[package], package.allowed
        found = list(terms.alone)
        found += [entry for entry in terms.learned if not allowed & entry[1]]
        for dependent, required in terms.required.items():
            able = dependent.allowed
            found += [
                entry
                for entry in required.of(dependent)
                if not allowed & entry[1] and entry[2].terms[dependent] & able
            ]
        if not allowed & NOT_SELECTED:
            # Its term holds all versions that are allowed, so this one, too.
            found += [
                entry
                for entry in terms.requires.get(allowed.bit_length(), ())
                if not allowed & ~entry[2].terms[package]
            ]
        found.sort(reverse=True, key=_order)
        for _, _, incompatibility in found:
            yield incompatibility


def _order(entry: Entry) -> int:
    return entry[0]
