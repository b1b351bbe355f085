"""What unpacking a wheel will cost, read from its central directory."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.hints import WheelHints
from schemas.zipformat import CentralEntry, Method

__all__ = ["size_wheel"]


def size_wheel(entries: Iterable[CentralEntry]) -> WheelHints:
    """The hints for the wheel that has these members."""
    unpacked_size = files = largest_file = 0
    streamable = True
    for entry in entries:
        unpacked_size += entry.size
        largest_file = max(largest_file, entry.size)
        files += not entry.is_directory
        # A stored member whose size comes behind it ends nowhere a forward reader could see.
        if entry.method is Method.STORED and entry.has_descriptor:
            streamable = False
    return WheelHints(
        unpacked_size=unpacked_size,
        files=files,
        largest_file=largest_file,
        streamable=streamable,
    )
