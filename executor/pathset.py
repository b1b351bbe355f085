"""PathSet: many paths in little memory, to ask for one of them, or for two that are the same.

It holds keyed hashes (SipHash, https://peps.python.org/pep-0456/) of 8 bytes each, so two of a
million paths are taken for one another once in 40 million runs, and nobody can aim for it. They
are kept in buckets, for Python sorts lists only: a list of one bucket is small.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise

__all__ = ["PathSet"]

_BUCKETS = 64


class PathSet:
    """A set of paths in 8 bytes each, whatever their length."""

    __slots__ = ("_buckets", "_is_sorted")

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]
        self._is_sorted = True
        for path in paths:
            self.add(path)

    def add(self, path: str) -> None:
        """Add one path, which may be there already."""
        value = hash(path)
        self._buckets[value % _BUCKETS].append(value)
        self._is_sorted = False

    def __contains__(self, path: str) -> bool:
        self._sort()
        wanted = hash(path)
        bucket = self._buckets[wanted % _BUCKETS]
        place = bisect_left(bucket, wanted)
        return place < len(bucket) and bucket[place] == wanted

    def repeated(self) -> frozenset[int]:
        """The hashes of the paths that were added more than once."""
        self._sort()
        return frozenset(
            one for bucket in self._buckets for one, other in pairwise(bucket) if one == other
        )

    def _sort(self) -> None:
        if not self._is_sorted:
            for bucket in self._buckets:
                bucket[:] = array("q", sorted(bucket))
            self._is_sorted = True
