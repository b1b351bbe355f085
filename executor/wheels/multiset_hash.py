"""A hash of rows that ignores their order, to compare two lists of rows in constant memory."""

from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = ["MultisetHash"]


class MultisetHash:
    """The hash of a list of rows: two lists hold the same rows if their hashes are equal.

    It is the sum of keyed hashes (SipHash, https://peps.python.org/pep-0456/) modulo 2**64, so it
    takes no memory per row. The salt is random and never leaves the process, so the author of a
    list cannot aim for a sum.
    """

    __slots__ = ("_salt", "_sum")

    def __init__(self) -> None:
        self._salt = os.urandom(16)
        self._sum = 0

    def empty(self) -> MultisetHash:
        """Return a hash of no rows that can be compared with this one."""
        other = MultisetHash()
        other._salt = self._salt
        return other

    def add(self, row: bytes) -> None:
        """Add one row."""
        self._sum += hash(self._salt + row)

    def add_all(self, rows: Iterable[bytes]) -> None:
        """Add many rows, without a call of Python for each."""
        self._sum += sum(map(hash, map(self._salt.__add__, rows)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MultisetHash):
            return NotImplemented
        return (self._sum - other._sum) % (1 << 64) == 0

    __hash__ = None  # type: ignore[assignment]  # it changes
