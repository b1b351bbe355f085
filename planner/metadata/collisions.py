"""Files that two wheels of one environment would install in the same place.

The wheel that is installed last would overwrite the file of the other, which an execution refuses.
The planner finds them in the central directories, which it reads anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import zstandard

from planner.index.cache import unpacked
from schemas.zipformat import CentralEntry

__all__ = ["Collision", "Listing", "find_collisions"]


_MAX_SIZE = 128 << 20
"""Bytes of a listing: no central directory that is read is larger."""


_LIBRARY_KEYS = frozenset({"purelib", "platlib"})
"""The folders of ``.data`` whose files are installed together with those of the wheel's root."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The paths and checksums of the files of one wheel; compressed, since there are many."""

    packed: bytes

    @classmethod
    def of(cls, entries: Iterable[CentralEntry]) -> Listing:
        """Return the listing of the wheel with these members."""
        lines = (
            f"{entry.crc:08x} {entry.size} {place}"
            for entry in entries
            if not entry.is_directory and (place := _place(entry.name))
        )
        return cls(zstandard.ZstdCompressor(level=3).compress("\n".join(lines).encode()))

    @classmethod
    def from_bytes(cls, packed: bytes) -> Listing | None:
        """Return the listing whose ``packed`` these bytes are; None for anything else."""
        listing = cls(packed)
        try:
            for _ in listing.files():
                pass
        except (zstandard.ZstdError, ValueError):
            return None
        return listing

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the path of each file, with a text that differs if the content differs."""
        for line in unpacked(self.packed, _MAX_SIZE).decode().splitlines():
            crc, size, place = line.split(" ", 2)
            yield place, f"{crc} {size}"


def _place(name: str) -> str | None:
    """Return the path that a member is installed at; None for the metadata of the wheel, which
    cannot collide.
    """
    folder, _, rest = name.partition("/")
    if folder.endswith(".dist-info"):
        return None
    if not folder.endswith(".data"):
        return f"lib/{name}"
    scheme, _, rest = rest.partition("/")
    return f"lib/{rest}" if scheme in _LIBRARY_KEYS else f"{scheme}/{rest}"


@dataclass(frozen=True, slots=True)
class Collision:
    """Two wheels that cannot be installed together."""

    first: str
    second: str
    """File names of the wheels."""
    places: tuple[str, ...]
    """Files that both have, with different contents."""


def find_collisions(wheels: Iterable[tuple[str, Listing]]) -> tuple[Collision, ...]:
    """Return the collisions among ``wheels``, pairs of file name and listing. Equal files do not
    collide.
    """
    owners: dict[str, tuple[str, str]] = {}
    found: dict[tuple[str, str], list[str]] = {}
    for filename, listing in wheels:
        for place, content in listing.files():
            owner, known = owners.setdefault(place, (filename, content))
            if known != content and owner != filename:
                found.setdefault((owner, filename), []).append(place.removeprefix("lib/"))
    return tuple(
        Collision(first, second, tuple(places)) for (first, second), places in found.items()
    )
