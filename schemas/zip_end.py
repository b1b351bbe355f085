"""The records at the end of a zip archive, which locate its central directory.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.14 to 4.3.16
(https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT). What could be read in two ways is
refused, as ``zipformat`` does.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from schemas.zipformat import UNKNOWN_32, InvalidZip, check_readable

__all__ = [
    "END_RECORD",
    "END_SIGNATURE",
    "MAX_COMMENT_SIZE",
    "ZIP64_END_RECORD",
    "ZIP64_END_SIGNATURE",
    "ZIP64_LOCATOR",
    "EndRecord",
    "parse_end_record",
    "parse_zip64_end_record",
    "parse_zip64_locator",
]

END_SIGNATURE = b"PK\x05\x06"
ZIP64_END_SIGNATURE = b"PK\x06\x06"
_ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"

END_RECORD = Struct("<4sHHHHLLH")
ZIP64_END_RECORD = Struct("<4sQHHLLQQQQ")
ZIP64_LOCATOR = Struct("<4sLQL")

MAX_COMMENT_SIZE = 0xFFFF
"""The length of the archive comment is a 16-bit field."""

_UNKNOWN_16 = 0xFFFF
"""As ``UNKNOWN_32``, of a field of two bytes (APPNOTE 4.4.1.4)."""


class EndRecord(NamedTuple):
    """The record that locates the central directory."""

    entries: int
    directory_size: int
    directory_offset: int
    comment_size: int = 0

    @property
    def needs_zip64(self) -> bool:
        """A field is too small for its value: a ZIP64 end record must hold it."""
        return (
            self.entries == _UNKNOWN_16
            or self.directory_size == UNKNOWN_32
            or self.directory_offset == UNKNOWN_32
        )


def parse_end_record(record: bytes) -> EndRecord:
    """Return the record in the ``END_RECORD.size`` bytes of ``record``; its comment follows them.

    Raises InvalidZip if it is not an end record of a one-disk archive.
    """
    (signature, disk, directory_disk, entries_here, entries, size, offset, comment_size) = (
        END_RECORD.unpack(record)
    )
    if signature != END_SIGNATURE:
        raise InvalidZip("the archive does not end with an end record")
    if disk or directory_disk or entries_here != entries:
        raise InvalidZip("the archive is spread over several disks")
    return EndRecord(entries, size, offset, comment_size)


def parse_zip64_end_record(record: bytes) -> EndRecord:
    """Return the record in the ``ZIP64_END_RECORD.size`` bytes of ``record``.

    Raises InvalidZip if it is malformed, of several disks, or has an extensible data sector.
    """
    (signature, record_size, _, version, disk, directory_disk, entries_here, entries, size,
     offset) = ZIP64_END_RECORD.unpack(record)  # fmt: skip
    if signature != ZIP64_END_SIGNATURE:
        raise InvalidZip("the ZIP64 end record does not begin with its signature")
    # APPNOTE 4.3.14.1: the size leaves out the first 12 bytes.
    if record_size != ZIP64_END_RECORD.size - 12:
        raise InvalidZip("the ZIP64 end record has an extensible data sector")
    check_readable(version, 0)
    if disk or directory_disk or entries_here != entries:
        raise InvalidZip("the archive is spread over several disks")
    return EndRecord(entries, size, offset)


def parse_zip64_locator(locator: bytes) -> int:
    """Return the offset of the ZIP64 end record, from the ``ZIP64_LOCATOR.size`` bytes before the
    end record.

    Raises InvalidZip if they are not a locator.
    """
    signature, disk, offset, disks = ZIP64_LOCATOR.unpack(locator)
    if signature != _ZIP64_LOCATOR_SIGNATURE:
        raise InvalidZip("the ZIP64 end record is not followed by a locator")
    if disk != 0 or disks > 1:
        raise InvalidZip("the archive is spread over several disks")
    return int(offset)
