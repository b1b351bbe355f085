"""The records of an archive, and why they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from schemas.zip_end import (
    END_RECORD,
    ZIP64_END_RECORD,
    ZIP64_LOCATOR,
    parse_end_record,
    parse_zip64_end_record,
    parse_zip64_locator,
)
from schemas.zipformat import (
    CentralEntry,
    InvalidZip,
    check_directory_end,
    next_central_entry,
)


def read_central(archive: bytes) -> list[CentralEntry]:
    """The entries by the end record at the very end, or by the ZIP64 end record that it needs."""
    place = parse_end_record(archive[-END_RECORD.size :])
    if place.needs_zip64:
        locator = archive[: -END_RECORD.size][-ZIP64_LOCATOR.size :]
        offset = parse_zip64_locator(locator)
        place = parse_zip64_end_record(archive[offset : offset + ZIP64_END_RECORD.size])
    directory = archive[place.directory_offset :][: place.directory_size]
    return entries_of(directory, place.entries)


def entries_of(directory: bytes, count: int) -> list[CentralEntry]:
    """Return the entries of a central directory that must have exactly ``count``."""
    position, found = 0, list[CentralEntry]()
    for _ in range(count):
        entry, position = next_central_entry(directory, position)
        found.append(entry)
    check_directory_end(directory, position)
    return found


def refusal(read: Callable[[], Any]) -> str:
    """Why ``read`` raises InvalidZip."""
    with pytest.raises(InvalidZip) as caught:
        read()
    return str(caught.value)
