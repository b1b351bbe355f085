"""Spool: a wheel that one pass cannot unpack is written to disk whole, then read by its directory.

A stored member whose size stands behind its data ends where only the central directory says. Such
wheels are not on PyPI any more, and in private indexes; pip and uv install them from disk, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from io import RawIOBase

from executor.archive.chunk_reader import ChunkReader
from executor.archive.unzip import MAX_TRAILING_ZEROS, read_central_entry, resolve_end
from schemas.zipformat import (
    CENTRAL_SIGNATURE,
    END_RECORD,
    END_SIGNATURE,
    MAX_COMMENT_SIZE,
    ZIP64_END_RECORD,
    ZIP64_LOCATOR,
    CentralEntry,
    InvalidZip,
    parse_end_record,
    parse_zip64_end_record,
    parse_zip64_locator,
)

__all__ = ["read_directory"]

_CHUNK = 64 * 1024
"""Bytes read at a time, as of a wheel that arrives."""


def read_directory(path: str) -> Iterator[CentralEntry]:
    """The central entries of the archive at ``path``, as far as there are any.

    They are found as other unzip programs find them, from the end, and not believed: whoever reads
    the archive holds them to its members. Raises OSError.
    """
    with open(path, "rb", buffering=0) as file:
        try:
            file.seek(_directory_offset(file))
            feed = ChunkReader(iter(partial(file.read, _CHUNK), b""))
            while feed.exactly(4) == CENTRAL_SIGNATURE:
                yield read_central_entry(feed)
        except ValueError:  # InvalidZip and Truncated are
            return


def _directory_offset(file: RawIOBase) -> int:
    size = file.seek(0, os.SEEK_END)
    before = ZIP64_END_RECORD.size + ZIP64_LOCATOR.size
    start = max(0, size - before - END_RECORD.size - MAX_COMMENT_SIZE - MAX_TRAILING_ZEROS)
    file.seek(start)
    tail = b"".join(iter(partial(file.read, _CHUNK), b""))
    end_at = tail.rfind(END_SIGNATURE)
    record = tail[end_at : end_at + END_RECORD.size]
    if end_at < 0 or len(record) < END_RECORD.size:
        raise InvalidZip("the archive does not end with an end record")
    end = parse_end_record(record)
    if not end.needs_zip64:
        return end.directory_offset
    if end_at < before:
        raise InvalidZip("its end record leaves sizes to a ZIP64 end record that is missing")
    parse_zip64_locator(tail[end_at - ZIP64_LOCATOR.size : end_at])
    at = end_at - before
    zip64 = parse_zip64_end_record(tail[at : at + ZIP64_END_RECORD.size])
    return resolve_end(end, zip64)[2]
