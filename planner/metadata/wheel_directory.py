"""What planning needs of the central directory of a wheel: its sizes, its files and its METADATA.

A plan reads the directories of all its wheels: tens of thousands of entries, nearly all of which
are plain. One loop takes what is needed from those as they are, without an object for an entry, and
the code for all entries reads the others.
"""

from __future__ import annotations

from struct import Struct, pack
from typing import NamedTuple

from planner.metadata.listing import Listing, place_of
from schemas.hints import WheelHints
from schemas.zipformat import (
    CENTRAL_SIGNATURE,
    FLAG_DESCRIPTOR,
    PLAIN_FLAGS,
    UNKNOWN_32,
    CentralEntry,
    Method,
    check_directory_end,
    next_central_entry,
)

__all__ = ["WheelDirectory", "scan_directory"]


_STORED, _DEFLATED = Method.STORED.value, Method.DEFLATED.value
_PLAIN_HEADER = Struct("<4s2x6s4xLLLH6s6xL")
"""``CENTRAL_HEADER`` in as few values as tell whether an entry is plain: they take most time."""
_HEADER_SIZE = _PLAIN_HEADER.size
_PLAIN_FORMS = frozenset(
    pack("<HHH", version, effort | name | descriptor, method)
    for version in (10, 20)
    for effort in (0, 2, 4, 6)
    for name in (0, PLAIN_FLAGS & ~6)
    for descriptor, method in ((0, _STORED), (0, _DEFLATED), (FLAG_DESCRIPTOR, _DEFLATED))
)
"""The version that they need, the flags and the method of plain entries, which are most."""
_NOTHING = bytes(6)
"""Neither an extra field nor a comment, on the first disk."""
_LIBRARY = b"lib/"
"""How the place of a plain member begins."""


class WheelDirectory(NamedTuple):
    """What is kept of a central directory."""

    hints: WheelHints
    listing: Listing
    metadata: tuple[CentralEntry, ...]
    """The members named METADATA."""


def scan_directory(directory: bytes, entries: int) -> WheelDirectory:
    """Read a central directory, which must have exactly ``entries``.

    Raises InvalidZip, as ``next_central_entry`` and ``check_directory_end`` do.
    """
    unpack, end = _PLAIN_HEADER.unpack_from, len(directory)
    places: list[bytes] = []
    contents: list[int] = []
    sizes: list[int] = []
    metadata: list[CentralEntry] = []
    at, files, is_streamable = 0, 0, True
    # Of the folder that the last members are in; no member of a wheel begins so.
    prefix = b"\0"
    for _ in range(entries):
        if at + _HEADER_SIZE <= end:
            signature, form, crc, packed, size, name_size, rest, offset = unpack(directory, at)
            after = at + _HEADER_SIZE + name_size
            name = directory[at + _HEADER_SIZE : after]
            if (
                name.startswith(prefix) and form in _PLAIN_FORMS and rest == _NOTHING
                and signature == CENTRAL_SIGNATURE and after <= end
                and packed != UNKNOWN_32 and size != UNKNOWN_32 and offset != UNKNOWN_32
                and name.isascii()
            ):  # fmt: skip
                sizes.append(size)
                if name[-1] != ord("/"):
                    files += 1
                    places.append(_LIBRARY + name)
                    contents.append(crc << 32 | size)
                at = after
                continue
        entry, at = next_central_entry(directory, at)
        sizes.append(entry.size)
        # A forward reader cannot see where a stored member ends if its size follows it.
        is_streamable &= entry.method is not Method.STORED or not entry.has_descriptor
        if entry.name.endswith("/METADATA"):
            metadata.append(entry)
        place = place_of(entry.name)
        if not entry.is_directory:
            files += 1
            if place is not None:
                places.append(place.encode())
                contents.append(entry.crc << 32 | entry.size & UNKNOWN_32)
        prefix = _prefix(entry.name, place)
    check_directory_end(directory, at)
    hints = WheelHints(
        unpacked_size=sum(sizes),
        files=files,
        largest_file=max(sizes, default=0),
        streamable=is_streamable,
    )
    return WheelDirectory(hints, Listing.of(places, contents), tuple(metadata))


def _prefix(name: str, place: str | None) -> bytes:
    """Return how the names of members begin that are in the same folder, if it is a plain one."""
    folder, slash, _ = name.partition("/")
    is_plain = slash and folder and place == f"lib/{name}" and not folder.endswith(".data")
    return f"{folder}/".encode() if is_plain else b"\0"
