"""Read the central directory and single members of a wheel without downloading it.

A zip archive ends with its directory (APPNOTE 4.3.6), so the last bytes of a wheel list the name
and the size of each of its files, and mostly include its metadata as well.
"""

from __future__ import annotations

import zlib

from planner.metadata.range_readers import TAIL_SIZE, RangeReader
from planner.metadata.wheel_directory import WheelDirectory, scan_directory
from schemas.zip_end import (
    END_RECORD,
    END_SIGNATURE,
    MAX_COMMENT_SIZE,
    ZIP64_END_RECORD,
    ZIP64_LOCATOR,
    EndRecord,
    parse_end_record,
    parse_zip64_end_record,
    parse_zip64_locator,
)
from schemas.zipformat import (
    CENTRAL_FIELDS,
    CENTRAL_HEADER,
    CENTRAL_SIGNATURE,
    LOCAL_HEADER,
    CentralEntry,
    InvalidZip,
    Method,
    central_entry,
    parse_local_header,
)

__all__ = ["find_at_end", "read_directory", "read_member"]


MAX_DIRECTORY_SIZE = 64 << 20
"""Bytes. The largest of 994 real wheels has 39,913 members in 6 MB."""


MAX_EXTRA_SIZE = 64
"""Bytes read beyond what the central entry states: the extra field of a local header may be longer
than that of the directory (Info-ZIP's time stamps have 28 bytes instead of 24)."""


MAX_TRAILING_ZEROS = 64
"""Zero bytes after the end record, with which some private indexes pad files."""


def read_directory(reader: RangeReader) -> WheelDirectory:
    """Read the central directory of the archive.

    Raises InvalidZip, and what reading raises.
    """
    record = _locate_directory(reader)
    directory = reader.read(record.directory_offset, record.directory_size)
    return scan_directory(directory, record.entries)


def find_at_end(reader: RangeReader, suffix: str) -> CentralEntry | None:
    """Return the last member whose name ends with ``suffix``, if it is in the part of a large
    directory that the first read has; otherwise None. The rest of the directory is not read.

    Wheels may have 40,000 members, and those of dist-info should be the last
    (https://packaging.python.org/specifications/binary-distribution-format/).

    Raises what ``read_directory`` raises.
    """
    record = _locate_directory(reader)
    start = max(0, reader.size - TAIL_SIZE)
    end = record.directory_offset + record.directory_size
    if not record.directory_offset < start < end:
        return None
    known = reader.read(start, end - start)
    found = known.rfind(suffix.encode())
    at = known.rfind(CENTRAL_SIGNATURE, 0, found) if found >= 0 else -1
    if at < 0 or found - at < CENTRAL_HEADER.size:
        return None
    fields = CENTRAL_FIELDS.unpack_from(known, at + len(CENTRAL_SIGNATURE))
    name_size, extra_size = fields[9:11]
    name = known[at + CENTRAL_HEADER.size :][:name_size]
    if at + CENTRAL_HEADER.size + name_size != found + len(suffix):
        return None
    return central_entry(fields, name, known[found + len(suffix) :][:extra_size])


def _locate_directory(reader: RangeReader) -> EndRecord:
    record, position = _find_end_record(reader)
    if record.needs_zip64:
        record, position = _read_zip64(reader, position)
    if record.directory_size > MAX_DIRECTORY_SIZE:
        raise InvalidZip(f"its central directory has more than {MAX_DIRECTORY_SIZE} bytes")
    if record.directory_offset + record.directory_size != position:
        raise InvalidZip("its central directory is not at the offset of the end record")
    return record


def _find_end_record(reader: RangeReader) -> tuple[EndRecord, int]:
    """Return the end record and its position. Only its comment may follow it."""
    if reader.size < END_RECORD.size:
        raise InvalidZip("it is too short to be a zip archive")
    # Without a comment the record is at the end; the second round searches 64 KiB for it.
    for most in (END_RECORD.size, END_RECORD.size + MAX_COMMENT_SIZE + MAX_TRAILING_ZEROS):
        length = min(most, reader.size)
        tail = reader.read(reader.size - length, length)
        found = tail.rfind(END_SIGNATURE, 0, length - END_RECORD.size + len(END_SIGNATURE))
        if found >= 0:
            record = parse_end_record(tail[found : found + END_RECORD.size])
            end = found + END_RECORD.size + record.comment_size
            trailing = tail[end:]
            if end <= length and len(trailing) <= MAX_TRAILING_ZEROS and not any(trailing):
                return record, reader.size - length + found
    raise InvalidZip("it does not end as a zip archive does")


def _read_zip64(reader: RangeReader, position: int) -> tuple[EndRecord, int]:
    if position < ZIP64_LOCATOR.size + ZIP64_END_RECORD.size:
        raise InvalidZip("its ZIP64 end record is missing")
    locator = reader.read(position - ZIP64_LOCATOR.size, ZIP64_LOCATOR.size)
    start = parse_zip64_locator(locator)
    if start + ZIP64_END_RECORD.size != position - ZIP64_LOCATOR.size:
        raise InvalidZip("its ZIP64 end record is not at the offset of the locator")
    return parse_zip64_end_record(reader.read(start, ZIP64_END_RECORD.size)), start


def read_member(reader: RangeReader, entry: CentralEntry, *, limit: int) -> bytes:
    """Return the content of one member of at most ``limit`` bytes, after checking its CRC.

    Raises InvalidZip, and what reading raises.
    """
    if entry.size > limit or entry.compressed_size > limit:
        raise InvalidZip(f"{entry.name} has more than {limit} bytes")
    expected = LOCAL_HEADER.size + len(entry.name.encode()) + MAX_EXTRA_SIZE
    available = reader.size - entry.offset
    if available < LOCAL_HEADER.size + entry.compressed_size:
        raise InvalidZip(f"{entry.name} lies beyond the end of the archive")
    content = reader.read(entry.offset, min(expected + entry.compressed_size, available))
    *_, name_size, extra_size = LOCAL_HEADER.unpack_from(content)
    start = LOCAL_HEADER.size + name_size + extra_size
    if (end := start + entry.compressed_size) > len(content):
        if end > available:
            raise InvalidZip(f"{entry.name} lies beyond the end of the archive")
        content = reader.read(entry.offset, end)
    name = content[LOCAL_HEADER.size : LOCAL_HEADER.size + name_size]
    extra = content[LOCAL_HEADER.size + name_size : start]
    header = parse_local_header(content[: LOCAL_HEADER.size], name, extra)
    if header.name != entry.name:
        raise InvalidZip(f"its directory names {entry.name}, but the member there is {header.name}")
    packed = content[start:end]
    data = _unpack(packed, entry)
    if len(data) != entry.size or zlib.crc32(data) != entry.crc:
        raise InvalidZip(f"{entry.name} is damaged")
    return data


def _unpack(packed: bytes, entry: CentralEntry) -> bytes:
    if entry.method is Method.STORED:
        return packed
    if entry.method is not Method.DEFLATED:
        raise InvalidZip(f"{entry.name} is packed with {entry.method.name.lower()}")
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, entry.size + 1)
    except zlib.error as error:
        raise InvalidZip(f"{entry.name} is damaged: {error}") from None
