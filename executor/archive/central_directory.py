"""Read the central directory of a wheel that is on disk.

One pass cannot unpack a wheel with a stored member whose size follows its data: only the central
directory records where the member ends. Such a wheel is written to disk first. PyPI no longer
accepts such wheels, but private indexes still have some; pip and uv install them from disk, too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from io import FileIO
from typing import BinaryIO

from executor.archive.chunk_reader import ChunkReader
from executor.archive.unzip import MAX_TRAILING_ZEROS, read_central_entry, resolve_end
from schemas.zip_end import (
    END_RECORD,
    END_SIGNATURE,
    MAX_COMMENT_SIZE,
    ZIP64_END_RECORD,
    ZIP64_LOCATOR,
    parse_end_record,
    parse_zip64_end_record,
    parse_zip64_locator,
)
from schemas.zipformat import CENTRAL_SIGNATURE, CentralEntry, InvalidZip

__all__ = ["directory_in", "read_directory"]

_CHUNK = 64 * 1024
"""Bytes read at a time, as of a wheel that arrives."""


def read_directory(path: str) -> Iterator[CentralEntry]:
    """Yield what ``directory_in`` yields of the archive at ``path``. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        yield from directory_in(file)


def directory_in(file: BinaryIO | FileIO) -> Iterator[CentralEntry]:
    """Yield the central entries of the archive in ``file`` up to the first damaged one.

    They are found from the end of the file, as other unzip programs find them. They are hints:
    ``ForwardZip`` compares them with the members. Raises OSError.
    """
    try:
        file.seek(_directory_offset(file))
        reader = ChunkReader(iter(partial(file.read, _CHUNK), b""))
        while reader.exactly(4) == CENTRAL_SIGNATURE:
            yield read_central_entry(reader)
    except ValueError:  # InvalidZip, Truncated
        return


def _directory_offset(file: BinaryIO | FileIO) -> int:
    """Return where the central directory begins, in bytes. Raises InvalidZip and OSError."""
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
