"""A set of many paths in little memory, which finds a path and repeated paths.

It holds keyed hashes (SipHash, https://peps.python.org/pep-0456/) of 8 bytes each. Two of a million
paths collide in one of 40 million runs, and an attacker cannot provoke it. The hashes are in one
array, because many growing ones fragment the memory, and in sorted runs, because Python sorts only
lists, and the list of one run is small.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise

__all__ = ["PathSet"]


_RUN = 2048
"""Hashes that are sorted at once, in 80 KiB."""


class PathSet:
    """A set of paths that takes 8 bytes for each, whatever its length. Its maker owns it."""

    __slots__ = ("_hashes", "_sorted")

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._hashes = array("q", map(hash, paths))
        self._sorted = 0

    def __len__(self) -> int:
        """Return how many paths were added."""
        return len(self._hashes)

    def add(self, path: str) -> None:
        """Add a path; it may be in the set already."""
        self._hashes.append(hash(path))

    def add_all(self, paths: Iterable[str]) -> None:
        """Add many paths, without a call of Python for each."""
        self._hashes.extend(map(hash, paths))

    def __contains__(self, path: str) -> bool:
        self._sort()
        wanted, hashes, size = hash(path), self._hashes, len(self._hashes)
        for start in range(0, size, _RUN):
            place = bisect_left(hashes, wanted, start, min(start + _RUN, size))
            if place < size and hashes[place] == wanted:
                return True
        return False

    def repeated(self) -> PathSet:
        """Return the paths that were added more than once."""
        found = PathSet()
        for part in self._parts():
            if len(set(part)) < len(part):
                found._hashes.extend(one for one, other in pairwise(part) if one == other)
        return found

    def _sort(self) -> None:
        """Sort the runs that were added to."""
        hashes, size = self._hashes, len(self._hashes)
        if self._sorted < size:
            for start in range(self._sorted - self._sorted % _RUN, size, _RUN):
                hashes[start : start + _RUN] = array("q", sorted(hashes[start : start + _RUN]))
            self._sorted = size

    def _parts(self) -> Iterator[list[int]]:
        """Yield all hashes in order, in lists of about one run; equal ones are in the same list."""
        self._sort()
        hashes, size = self._hashes, len(self._hashes)
        runs = range(0, size, _RUN)
        width = -(-(1 << 64) // max(1, len(runs)))
        for low in range(-1 << 63, 1 << 63, width):
            part: list[int] = []
            for start in runs:
                end = min(start + _RUN, size)
                first = bisect_left(hashes, low, start, end)
                part.extend(hashes[first : bisect_left(hashes, low + width, first, end)])
            part.sort()
            yield part
