"""The paths and checksums of the files of a wheel, compressed: a plan has those of all its wheels.

A listing is one text with a path in each line, so that most questions are put to the text as a
whole, and a number for each file.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import zstandard

from planner.index.cache import unpacked
from schemas.data_class import frozen

__all__ = ["Listing", "place_of"]


_MAX_SIZE = 128 << 20
"""Bytes of a listing: no central directory that is read is larger."""


_LIBRARY_KEYS = frozenset({"purelib", "platlib"})
"""The folders of ``.data`` whose files are installed together with those of the wheel's root."""


_LEVEL = 1
"""Of zstandard; higher ones take more time than they save."""


@frozen
class Listing:
    """The listing of one wheel; the reader of the wheel owns it."""

    packed: bytes
    """A line with the number of files, a line with the place of each, and a number of 64 bits for
    each."""

    @classmethod
    def of(cls, places: Sequence[bytes], contents: Sequence[int]) -> Listing:
        """Return the listing of files at ``places``, which are in UTF-8, with a number of 64 bits
        for each that differs if the content differs.
        """
        text = b"\n".join([b"%d" % len(places), *places, b""])
        if text.count(b"\n") != len(places) + 1:
            # No system takes a name with either.
            text = b"\n".join([b"%d" % len(places), *(_one_line(one) for one in places), b""])
        packed = zstandard.ZstdCompressor(level=_LEVEL).compress(
            text + array("Q", contents).tobytes()
        )
        return cls(packed)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Listing | None:
        """Return the listing whose ``packed`` these bytes are; None for anything else."""
        listing = cls(packed)
        try:
            listing._read()  # of this class
        except (zstandard.ZstdError, ValueError):
            return None
        return listing

    def text(self) -> str:
        """Return the places of all files, each in a line. Equal places are in the same words."""
        return self._read()[0]

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield the place of each file, with a number that differs if the content differs."""
        text, contents = self._read()
        yield from zip(text.split("\n"), contents, strict=False)

    def tops(self) -> set[str]:
        """Return the first two folders that each file is in, or the only one."""
        found: set[str] = set()
        prefix = "\n"
        for place in self.text().split("\n"):
            # Files of one folder mostly follow each other, and this takes a fifth of the time.
            if place.startswith(prefix):
                continue
            first, _, rest = place.rpartition("/")[0].partition("/")
            second, _, _ = rest.partition("/")
            top = f"{first}/{second}" if second else first
            found.add(top)
            prefix = f"{top}/" if second else "\n"
        found.discard("")  # of what follows the last line
        return found

    def folders(self) -> set[str]:
        """Return the folders that files are in."""
        folders = {place.rpartition("/")[0] for place in self.text().split("\n")}
        folders.discard("")  # of what follows the last line
        return folders

    def _read(self) -> tuple[str, array[int]]:
        """Return the text and the numbers. Raises ValueError and ZstdError."""
        content = unpacked(self.packed, _MAX_SIZE)
        count, _, rest = content.partition(b"\n")
        if not count.isdigit() or len(count) > len(str(_MAX_SIZE)):
            raise ValueError("it does not begin with a number of files")
        numbers = array("Q")
        cut = len(rest) - int(count) * numbers.itemsize
        if cut < 0 or rest.count(b"\n", 0, cut) != int(count) or (cut and rest[cut - 1] != 0x0A):
            raise ValueError("it has another number of files")
        numbers.frombytes(rest[cut:])
        return rest[:cut].decode(), numbers


def _one_line(place: bytes) -> bytes:
    return place.replace(b"\n", b"\0")


def place_of(name: str) -> str | None:
    """Return the place at which a member is installed: below ``lib`` for the library folders of an
    environment, else below its scheme; None for the metadata of the wheel, which cannot collide.
    """
    folder, _, rest = name.partition("/")
    if folder.endswith(".dist-info"):
        return None
    if not folder.endswith(".data"):
        return f"lib/{name}"
    scheme, _, rest = rest.partition("/")
    return f"lib/{rest}" if scheme in _LIBRARY_KEYS else f"{scheme}/{rest}"
