"""Collisions: files that two wheels of one environment want to have in one place.

Whoever is installed last would overwrite the other's; an execution refuses that. The central
directories, which are read anyway, tell it beforehand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import zstandard

from schemas.zipformat import CentralEntry

__all__ = ["Collision", "Listing", "find_collisions"]


_LIBRARY_KEYS = frozenset({"purelib", "platlib"})
"""The folders of ``.data`` that end where the other members do."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Where the files of a wheel go, and what they hold; compressed, for there are many."""

    packed: bytes

    @classmethod
    def of(cls, entries: Iterable[CentralEntry]) -> Listing:
        """The listing of the wheel with these members."""
        lines = (
            f"{entry.crc:08x} {entry.size} {place}"
            for entry in entries
            if not entry.is_directory and (place := _place(entry.name))
        )
        return cls(zstandard.ZstdCompressor(level=3).compress("\n".join(lines).encode()))

    def files(self) -> Iterator[tuple[str, str]]:
        """The place of each file, and a text that is another where its content is."""
        for line in zstandard.ZstdDecompressor().decompress(self.packed).decode().splitlines():
            crc, size, place = line.split(" ", 2)
            yield place, f"{crc} {size}"


def _place(name: str) -> str | None:
    """Where a member goes; None where that is nobody else's business (metadata of the wheel)."""
    folder, _, rest = name.partition("/")
    if folder.endswith(".dist-info"):
        return None
    if not folder.endswith(".data"):
        return f"lib/{name}"
    scheme, _, rest = rest.partition("/")
    return f"lib/{rest}" if scheme in _LIBRARY_KEYS else f"{scheme}/{rest}"


@dataclass(frozen=True, slots=True)
class Collision:
    """Two wheels that do not go together."""

    first: str
    second: str
    """Their file names."""
    places: tuple[str, ...]
    """What both have, with different contents."""


def find_collisions(wheels: Iterable[tuple[str, Listing]]) -> tuple[Collision, ...]:
    """Those among ``wheels``, told by their file names. Equal files are none."""
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
