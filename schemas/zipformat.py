"""The zip records of members: bytes to typed records, nothing else.

Source: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5
(https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT). The reader is strict: it refuses
everything that two unzip programs could read differently. Each refusal is an ``InvalidZip`` that
states the rule; the caller adds the wheel and the member.
"""

from __future__ import annotations

import stat
from enum import IntEnum
from struct import Struct, unpack_from
from typing import NamedTuple

__all__ = [
    "CENTRAL_FIELDS",
    "CENTRAL_HEADER",
    "CENTRAL_SIGNATURE",
    "CREATED_ON_UNIX",
    "DESCRIPTOR_SIGNATURE",
    "FLAG_DESCRIPTOR",
    "LOCAL_FIELDS",
    "LOCAL_HEADER",
    "LOCAL_SIGNATURE",
    "PLAIN_FLAGS",
    "UNKNOWN_32",
    "VERSION_READABLE",
    "CentralEntry",
    "InvalidZip",
    "LocalHeader",
    "Method",
    "central_entry",
    "check_directory_end",
    "check_readable",
    "local_header",
    "next_central_entry",
    "parse_local_header",
]

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

LOCAL_HEADER = Struct("<4sHHHHHLLLHH")
CENTRAL_HEADER = Struct("<4sHHHHHHLLLHHHHHLL")
LOCAL_FIELDS = Struct("<HHHHHLLLHH")
CENTRAL_FIELDS = Struct("<HHHHHHLLLHHHHHLL")
"""The same two without their signatures."""

UNKNOWN_32 = 0xFFFFFFFF
"""APPNOTE 4.4.1.4: all bits set means that the value is in the ZIP64 extra field."""

_ZIP64_EXTRA = 0x0001
_UNICODE_PATH_EXTRA = 0x7075

FLAG_DESCRIPTOR = 1 << 3
_FLAG_UTF8 = 1 << 11
_FLAGS_READABLE = 0b110 | FLAG_DESCRIPTOR | _FLAG_UTF8
"""Bits 1 and 2 are the effort of deflate. All others are encryption, patches or reserved."""
PLAIN_FLAGS = _FLAGS_READABLE & ~FLAG_DESCRIPTOR
"""Those of a member whose local header states its sizes."""

VERSION_READABLE = 63
"""APPNOTE 4.4.3.2: the newest version of the format that is defined."""

CREATED_ON_UNIX = 3


class Method(IntEnum):
    """The compression methods that wheels use."""

    STORED = 0
    DEFLATED = 8
    ZSTANDARD = 93


_METHODS = {method.value: method for method in Method}


class InvalidZip(ValueError):
    """A record breaks a rule of the format, or could be read in two ways."""


class LocalHeader(NamedTuple):
    """The record before the data of a member."""

    name: str
    flags: int
    method: Method
    crc: int
    """If ``has_descriptor``, this and both sizes are 0 or the values of the descriptor."""
    compressed_size: int
    """In bytes."""
    size: int
    """Uncompressed, in bytes."""

    @property
    def has_descriptor(self) -> bool:
        """CRC and sizes follow the data instead (APPNOTE 4.3.9)."""
        return bool(self.flags & FLAG_DESCRIPTOR)


class CentralEntry(NamedTuple):
    """The record of a member in the central directory."""

    name: str
    flags: int
    method: Method
    crc: int
    compressed_size: int
    size: int
    offset: int
    """Position of the local header, in bytes from the start of the archive."""
    mode: int
    """The Unix mode, type bits included; 0 if another system made the archive."""

    @property
    def is_directory(self) -> bool:
        return self.name.endswith("/")

    @property
    def is_executable(self) -> bool:
        return bool(self.mode & 0o111)

    @property
    def has_descriptor(self) -> bool:
        return bool(self.flags & FLAG_DESCRIPTOR)

    def check_type(self) -> None:
        """Raise InvalidZip for a link, a device, a socket or another special file."""
        kind = stat.S_IFMT(self.mode)
        expected = stat.S_IFDIR if self.is_directory else stat.S_IFREG
        if kind not in (0, expected):
            raise InvalidZip(
                f"its mode {self.mode:#o} says {_KINDS.get(kind, 'an unknown type')}, "
                f"a wheel holds regular files and directories only"
            )


_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a directory",
    stat.S_IFREG: "a regular file",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


def parse_local_header(header: bytes, name: bytes, extra: bytes) -> LocalHeader:
    """Return the record in the ``LOCAL_HEADER.size`` bytes of ``header``, with the name and the
    extra field that follow it.

    Raises InvalidZip if it is malformed or ambiguous.
    """
    return local_header(LOCAL_FIELDS.unpack_from(header, 4), name, extra)


def local_header(fields: tuple[int, ...], name: bytes, extra: bytes) -> LocalHeader:
    """Return the header whose ``LOCAL_FIELDS`` are ``fields``, with the name and the extra field
    that follow it.

    Raises InvalidZip if it is ambiguous.
    """
    version, flags, method, _, _, crc, compressed_size, size, _, _ = fields
    check_readable(version, flags)
    text = _decode_name(name, flags)
    if extra or size == UNKNOWN_32 or compressed_size == UNKNOWN_32:
        size, compressed_size = _apply_zip64(_read_extra(extra, name), (size, compressed_size))
    return LocalHeader(text, flags, _read_method(method), crc, compressed_size, size)


def central_entry(fields: tuple[int, ...], name: bytes, extra: bytes) -> CentralEntry:
    """Return the entry whose ``CENTRAL_FIELDS`` are ``fields``, with the name and the extra field
    that follow it.

    Raises InvalidZip if it is ambiguous.
    """
    (
        made_by, version, flags, method, _, _, crc, compressed_size, size,
        _, _, _, disk, _, attributes, offset,
    ) = fields  # fmt: skip
    check_readable(version, flags)
    if disk != 0:
        raise InvalidZip("the archive is spread over several disks")
    text = _decode_name(name, flags)
    if extra or UNKNOWN_32 in (size, compressed_size, offset):
        zip64 = _read_extra(extra, name)
        size, compressed_size, offset = _apply_zip64(zip64, (size, compressed_size, offset))
    mode = attributes >> 16 if made_by >> 8 == CREATED_ON_UNIX else 0
    return CentralEntry(text, flags, _read_method(method), crc, compressed_size, size, offset, mode)


def next_central_entry(directory: bytes, position: int) -> tuple[CentralEntry, int]:
    """Return the entry that begins at ``position``, and where the next one begins.

    Raises InvalidZip if there is none.
    """
    if len(directory) - position < CENTRAL_HEADER.size:
        raise InvalidZip("the central directory ends before its last entry")
    if directory[position : position + 4] != CENTRAL_SIGNATURE:
        raise InvalidZip("an entry of the central directory does not begin with its signature")
    fields = CENTRAL_FIELDS.unpack_from(directory, position + 4)
    name_size, extra_size, comment_size = fields[9:12]
    position += CENTRAL_HEADER.size
    name = directory[position : position + name_size]
    position += name_size
    extra = directory[position : position + extra_size]
    position += extra_size + comment_size
    if position > len(directory):
        raise InvalidZip("the central directory ends inside an entry")
    return central_entry(fields, name, extra), position


def check_directory_end(directory: bytes, position: int) -> None:
    """Raise InvalidZip unless a central directory ends at ``position``, after its last entry."""
    if position != len(directory):
        raise InvalidZip(
            f"the central directory holds {len(directory) - position} bytes after its last entry"
        )


def check_readable(version: int, flags: int) -> None:
    """Raise InvalidZip if a record needs what is not read here: another version of the format, or
    what one of its flags stands for.
    """
    # The high byte is the host system in some archives (APPNOTE 4.4.3.1 leaves it unused).
    version &= 0xFF
    if version <= VERSION_READABLE and not flags & ~_FLAGS_READABLE:
        return
    if version > VERSION_READABLE:
        raise InvalidZip(f"it needs version {version / 10:.1f} of the zip format")
    if flags & 1:
        raise InvalidZip("it is encrypted")
    unreadable = flags & ~_FLAGS_READABLE
    raise InvalidZip(f"its flags {unreadable:#06x} are not those of a plain member")


def _read_method(method: int) -> Method:
    try:
        return _METHODS[method]
    except KeyError:
        raise InvalidZip(
            f"its compression method is {method}; wheels use "
            f"{', '.join(f'{known.value} ({known.name.lower()})' for known in Method)}"
        ) from None


def _decode_name(name: bytes, flags: int) -> str:
    """Return a name in UTF-8 if bit 11 is set (APPNOTE appendix D). Without it, only ASCII is read
    in the same way by all programs.
    """
    encoding = "utf-8" if flags & _FLAG_UTF8 else "ascii"
    try:
        return name.decode(encoding)
    except UnicodeDecodeError:
        raise InvalidZip(f"its name {name!r} is not {encoding.upper()}") from None


def _read_extra(extra: bytes, name: bytes) -> bytes | None:
    """Return the ZIP64 field among the extra fields, or None."""
    zip64: bytes | None = None
    position = 0
    # Fewer than four bytes are padding, as zipalign and Info-ZIP leave them.
    while position + 4 <= len(extra):
        kind, size = unpack_from("<HH", extra, position)
        position += 4
        field = extra[position : position + size]
        if len(field) != size:
            raise InvalidZip("an extra field is longer than the space it has")
        if kind == _ZIP64_EXTRA:
            if zip64 is not None:
                raise InvalidZip("it has two ZIP64 extra fields")
            zip64 = field
        # Info-ZIP: version, CRC of the name, then a second name for the same member.
        elif kind == _UNICODE_PATH_EXTRA and field[5:] != name:
            raise InvalidZip("an extra field gives it a second name")
        position += size
    return zip64


def _apply_zip64(zip64: bytes | None, fields: tuple[int, ...]) -> tuple[int, ...]:
    """Return the fields, each that has all bits set replaced by its value in the ZIP64 extra field.

    Bazel writes both sizes into the extra field although they fit (in protobuf's wheels); that form
    is read if the values agree (APPNOTE 4.5.3 requires the field only when a size does not fit).
    """
    if zip64 is None:
        if UNKNOWN_32 in fields:
            raise InvalidZip("the ZIP64 extra field of a size is missing")
        return fields
    unknown = [index for index, field in enumerate(fields) if field == UNKNOWN_32]
    values = [int(unpack_from("<Q", zip64, at)[0]) for at in range(0, len(zip64) - 7, 8)]
    if len(zip64) % 8:
        raise InvalidZip("its ZIP64 extra field is malformed")
    if not unknown and values == list(fields[: len(values)]) and len(values) == 2:
        return fields
    if len(values) != len(unknown):
        raise InvalidZip("its ZIP64 extra field does not have exactly the missing sizes")
    resolved = list(fields)
    for index, value in zip(unknown, values, strict=True):
        resolved[index] = value
    return tuple(resolved)
