"""What each lane is at, on a page of memory that all lanes share, for a view while it runs."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator

from schemas.data_class import frozen

__all__ = ["AtWork", "Board"]


_PLACES = 16
"""Lanes that have a place; each has one of its own, so that no lane waits for another."""


_PLACE_SIZE = mmap.PAGESIZE // _PLACES


_COUNT_SIZE = 4
"""Bytes of the count of a place. The counts are on a page of their own."""


@frozen
class AtWork:
    """What one lane is at."""

    name: str
    """Name and version of a package."""
    read: int
    """Bytes of its wheel that were read."""
    size: int
    """Bytes of its wheel; 0 if that is not known."""

    def __str__(self) -> str:
        if not self.read:
            return f"{self.name} (waiting)"
        return f"{self.name} {min(1.0, self.read / self.size):.0%}" if self.size else self.name


class Board:
    """The board of one execution; its reporter owns it. Forks write, their parent reads."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, 2 * mmap.PAGESIZE)
        self._mine = 0, 0
        """The process that has chosen a place, which may be the parent of this one; the place."""

    def put(self, name: str, read: int, size: int | None) -> None:
        """Write what this process is at."""
        self._write(f"{read} {size or 0} {name}")

    def finish(self) -> None:
        """Write that this process has finished what it was at, and is at nothing."""
        place = self._write("")
        count = (self._count(place) + 1).to_bytes(_COUNT_SIZE, "little")
        begin = mmap.PAGESIZE + place * _COUNT_SIZE
        self._page[begin : begin + _COUNT_SIZE] = count

    def finished(self) -> int:
        """Return how many wheels the lanes have finished, in whatever order."""
        return sum(map(self._count, range(_PLACES)))

    def read(self) -> Iterator[AtWork]:
        """Yield what the lanes are at."""
        for place in range(_PLACES):
            _, _, text = self._text(place).partition(" ")
            read, _, rest = text.partition(" ")
            size, _, name = rest.partition(" ")
            # A lane may be writing just now.
            if name and read.isdigit() and size.isdigit():
                yield AtWork(name, int(read), int(size))

    def _write(self, text: str) -> int:
        """Write ``text`` in the place of this process, and return the place."""
        pid = os.getpid()
        if self._mine[0] != pid:
            self._mine = pid, self._free_place(pid)
        place = self._mine[1]
        data = f"{pid} {text}".encode(errors="replace")[: _PLACE_SIZE - 1]
        begin = place * _PLACE_SIZE
        self._page[begin : begin + _PLACE_SIZE] = data.ljust(_PLACE_SIZE, b"\0")
        return place

    def _free_place(self, pid: int) -> int:
        """Return a place in which no other process has written; if all are taken, any."""
        places = [(pid + number) % _PLACES for number in range(_PLACES)]
        return next((place for place in places if not self._text(place)), places[0])

    def _text(self, place: int) -> str:
        begin = place * _PLACE_SIZE
        data = self._page[begin : begin + _PLACE_SIZE]
        return data.rstrip(b"\0").decode(errors="replace")

    def _count(self, place: int) -> int:
        begin = mmap.PAGESIZE + place * _COUNT_SIZE
        return int.from_bytes(self._page[begin : begin + _COUNT_SIZE], "little")
