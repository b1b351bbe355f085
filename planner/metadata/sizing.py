"""The cost of unpacking a wheel, from its central directory."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.hints import WheelHints
from schemas.zipformat import CentralEntry, Method

__all__ = ["size_wheel"]


def size_wheel(entries: Iterable[CentralEntry]) -> WheelHints:
    """Return the hints for the wheel that has these members."""
    unpacked_size = files = largest_file = 0
    streamable = True
    for entry in entries:
        unpacked_size += entry.size
        largest_file = max(largest_file, entry.size)
        files += not entry.is_directory
        # A forward reader cannot see where a stored member ends if its size follows it.
        if entry.method is Method.STORED and entry.has_descriptor:
            streamable = False
    return WheelHints(
        unpacked_size=unpacked_size,
        files=files,
        largest_file=largest_file,
        streamable=streamable,
    )
