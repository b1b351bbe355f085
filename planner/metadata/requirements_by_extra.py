"""The requirements of one distribution, found by the extra that can add them.

A distribution may have thousands of extras. Evaluating the markers of all its requirements for each
of them would take the square of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

__all__ = ["RequirementsByExtra"]


_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")


_COMPARED = re.compile(r"\bextra [=!]= _\b|\b_ [=!]= extra\b")
"""A comparison with an extra, in a marker whose values are replaced with ``_``."""


_EXTRA = re.compile(r"\bextra\b")


class RequirementsByExtra:
    """An index of ``requirements``; the metadata or the block of a lock that has them owns it."""

    def __init__(self, requirements: Sequence[Requirement]) -> None:
        self._all = requirements
        self._positions: dict[NormalizedName | None, list[int]] = {}
        for position, requirement in enumerate(requirements):
            marker = str(requirement.marker or "")
            for extra in _named_extras(marker) if marker else ():
                self._positions.setdefault(extra, []).append(position)

    @property
    def extras(self) -> frozenset[NormalizedName]:
        """The extras that its markers name."""
        return frozenset(one for one in self._positions if one is not None)

    def of(self, extra: NormalizedName | None) -> Iterable[Requirement]:
        """Return those that may apply because of ``extra``, in their order; all without one."""
        if extra is None:
            return self._all
        # Those of None may apply because of any extra.
        positions = {*self._positions.get(extra, ()), *self._positions.get(None, ())}
        return [self._all[position] for position in sorted(positions)]


@lru_cache(maxsize=1 << 16)
def _named_extras(marker: str) -> frozenset[NormalizedName | None]:
    """Return the extras that decide whether ``marker``, as packaging writes it, holds; None among
    them if it may be any.

    With another extra than those that it is equal or unequal to, a marker holds exactly if it holds
    without an extra. packaging writes their names normalized.
    """
    values = [first or second for first, second in _QUOTED.findall(marker)]
    bare = _QUOTED.sub("_", marker)
    if not (uses := len(_EXTRA.findall(bare))):
        return frozenset()
    if uses != len(_COMPARED.findall(bare)) or "" in values:
        # Without an extra, the variable is empty, so a comparison with "" is about every extra.
        return frozenset([None])
    return frozenset(map(NormalizedName, values))
