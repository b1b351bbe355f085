"""Tally: whether two lists of rows hold the same, in constant memory."""

from __future__ import annotations

import os

__all__ = ["MultisetHash"]


class MultisetHash:
    """Two lists of rows are equal when their tallies are, in whatever order they come.

    A tally is a sum of keyed hashes (SipHash, https://peps.python.org/pep-0456/) modulo 2**64, so
    it takes no memory per row. The salt is drawn per list and never leaves the process: whoever
    made the list cannot aim for a sum.
    """

    __slots__ = ("_salt", "_sum")

    def __init__(self) -> None:
        self._salt = os.urandom(16).hex()
        self._sum = 0

    def empty(self) -> MultisetHash:
        """A tally that can be compared with this one, of no rows yet."""
        other = MultisetHash()
        other._salt = self._salt
        return other

    def add(self, row: str) -> None:
        """Count one row."""
        self._sum += hash(self._salt + row)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MultisetHash):
            return NotImplemented
        return (self._sum - other._sum) % (1 << 64) == 0

    __hash__ = None  # type: ignore[assignment]  # it changes
