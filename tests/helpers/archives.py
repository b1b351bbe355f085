"""Zip archives written record by record, so that any field of any record can be a lie.

Bytes depend on the arguments alone. Without overrides the archive is what the strictest reader
wants: no prefix, no gaps, the central directory in the order of the members.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

import zstandard

from schemas.zip_end import (
    END_RECORD,
    END_SIGNATURE,
    ZIP64_END_RECORD,
    ZIP64_END_SIGNATURE,
    ZIP64_LOCATOR,
)
from schemas.zipformat import (
    CENTRAL_HEADER,
    CENTRAL_SIGNATURE,
    DESCRIPTOR_SIGNATURE,
    LOCAL_HEADER,
    LOCAL_SIGNATURE,
    Method,
)

__all__ = ["ArchiveOptions", "Descriptor", "Member", "build_archive", "compress", "zip64_extra"]

ZIP64_LOCATOR_SIGNATURE = b"PK\x06\x07"
FLAG_DESCRIPTOR = 1 << 3
FLAG_UTF8 = 1 << 11
MADE_ON_UNIX = 3 << 8
FIRST_OF_JANUARY_1980 = 1 << 5 | 1
UNKNOWN_16 = 0xFFFF
UNKNOWN_32 = 0xFFFFFFFF

Overrides = Mapping[str, Any]
"""Fields of a record by name, with the values they are to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """The record after the data of a member; a field that is None gets its true value."""

    signed: bool = True
    wide: bool = False
    """Sizes of eight bytes, as ZIP64 has them."""
    crc: int | None = None
    compressed_size: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, and the lies about it."""

    name: str | bytes
    """Text is written as ASCII if possible, else as UTF-8 with the flag that says so."""
    data: bytes = b""
    method: int = Method.DEFLATED
    mode: int = 0o100644
    """Unix mode with its type bits."""
    payload: bytes | None = None
    """The bytes after the local header, if they are not ``data`` compressed by ``method``."""
    descriptor: Descriptor | None = None
    zip64: bool = False
    """Leave both sizes to a ZIP64 extra field."""
    headers: Overrides = field(default_factory=dict)
    """Fields of both headers, such as ``{"crc": 0}``; see ``Header`` for the names."""
    local: Overrides = field(default_factory=dict)
    central: Overrides = field(default_factory=dict)
    before: bytes = b""
    """A gap in front of the local header."""
    present: bool = True
    """Whether it has a local header and data."""
    listed: bool = True
    """Whether it has an entry in the central directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Fields of a local or central header. Sizes that are None are those of what they count."""

    signature: bytes
    made_by: int = MADE_ON_UNIX | 20
    version: int = 20
    flags: int
    method: int
    time: int = 0
    date: int = FIRST_OF_JANUARY_1980
    crc: int
    compressed_size: int
    size: int
    name: bytes
    name_size: int | None = None
    extra: bytes = b""
    extra_size: int | None = None
    comment: bytes = b""
    comment_size: int | None = None
    disk: int = 0
    internal: int = 0
    external: int = 0
    offset: int = 0

    def local(self) -> bytes:
        return (
            LOCAL_HEADER.pack(
                self.signature, self.version, self.flags, self.method, self.time, self.date,
                self.crc, self.compressed_size, self.size, *self._variable_sizes()[:2],
            )
            + self.name
            + self.extra
        )  # fmt: skip

    def central(self) -> bytes:
        return (
            CENTRAL_HEADER.pack(
                self.signature, self.made_by, self.version, self.flags, self.method, self.time,
                self.date, self.crc, self.compressed_size, self.size, *self._variable_sizes(),
                self.disk, self.internal, self.external, self.offset,
            )
            + self.name
            + self.extra
            + self.comment
        )  # fmt: skip

    def _variable_sizes(self) -> tuple[int, int, int]:
        return (
            len(self.name) if self.name_size is None else self.name_size,
            len(self.extra) if self.extra_size is None else self.extra_size,
            len(self.comment) if self.comment_size is None else self.comment_size,
        )


class ArchiveOptions(TypedDict, total=False):
    """The arguments of ``build_archive`` other than the members."""

    prefix: bytes
    """In front of the first local header; offsets count it."""
    gap: bytes
    """Between the last member and the central directory."""
    suffix: bytes
    """After the comment."""
    comment: bytes
    central_order: Sequence[int]
    """Indices of the members, in the order of the central directory."""
    zip64: bool
    """Leave all of the end record to a ZIP64 end record."""
    end: Overrides
    """Of ``entries_here, entries, size, offset, disk, directory_disk, comment_size, signature``."""
    zip64_end: Overrides
    """Of ``entries_here, entries, size, offset, disk, directory_disk, record_size, version,
    sector, signature``."""
    locator: Overrides
    """Of ``offset, disk, disks, signature``."""


def compress(data: bytes, method: int) -> bytes:
    """What ``method`` makes of ``data``; an unknown method leaves it as it is."""
    match method:
        case Method.DEFLATED:
            return zlib.compress(data, level=6, wbits=-zlib.MAX_WBITS)
        case Method.ZSTANDARD:
            return zstandard.ZstdCompressor().compress(data)
        case _:
            return data


def zip64_extra(*values: int) -> bytes:
    """A ZIP64 extra field that holds ``values``."""
    return struct.pack(f"<HH{len(values)}Q", 1, 8 * len(values), *values)


def build_archive(members: Iterable[Member], **options: Unpack[ArchiveOptions]) -> bytes:
    """The archive of ``members``."""
    members = list(members)
    archive = bytearray(options.get("prefix", b""))
    entries = []
    for member in members:
        payload = compress(member.data, member.method) if member.payload is None else member.payload
        archive += member.before
        entries.append(_central(member, payload, len(archive)))
        if member.present:
            archive += _local(member, payload) + payload + _descriptor(member, payload)
    archive += options.get("gap", b"")
    order = options.get("central_order", range(len(members)))
    listed = [entries[index] for index in order if members[index].listed]
    offset = len(archive)
    archive += b"".join(listed)
    archive += _end(len(listed), len(archive) - offset, offset, options)
    return bytes(archive)


def _header(member: Member, payload: bytes) -> dict[str, Any]:
    name, flags = member.name, 0
    if isinstance(name, str):
        flags = 0 if name.isascii() else FLAG_UTF8
        name = name.encode()
    return {
        "name": name,
        "flags": flags | (FLAG_DESCRIPTOR if member.descriptor else 0),
        "method": member.method,
        "crc": zlib.crc32(member.data),
        "compressed_size": len(payload),
        "size": len(member.data),
    }


def _local(member: Member, payload: bytes) -> bytes:
    header = Header(signature=LOCAL_SIGNATURE, **_header(member, payload))
    if member.descriptor:
        header = replace(header, crc=0, compressed_size=0, size=0)
    if member.zip64:
        header = _widened(header)
    return replace(header, **{**member.headers, **member.local}).local()


def _central(member: Member, payload: bytes, offset: int) -> bytes:
    directory = 0x10 if member.mode & 0o170000 == 0o040000 else 0
    header = Header(
        signature=CENTRAL_SIGNATURE,
        external=member.mode << 16 | directory,
        offset=offset,
        **_header(member, payload),
    )
    if member.zip64:
        header = _widened(header)
    return replace(header, **{**member.headers, **member.central}).central()


def _widened(header: Header) -> Header:
    return replace(
        header,
        version=45,
        extra=zip64_extra(header.size, header.compressed_size),
        size=UNKNOWN_32,
        compressed_size=UNKNOWN_32,
    )


def _descriptor(member: Member, payload: bytes) -> bytes:
    if (told := member.descriptor) is None:
        return b""
    return (DESCRIPTOR_SIGNATURE if told.signed else b"") + struct.pack(
        "<LQQ" if told.wide else "<LLL",
        zlib.crc32(member.data) if told.crc is None else told.crc,
        len(payload) if told.compressed_size is None else told.compressed_size,
        len(member.data) if told.size is None else told.size,
    )


def _end(entries: int, size: int, offset: int, options: ArchiveOptions) -> bytes:
    comment = options.get("comment", b"")
    place = {"entries_here": entries, "entries": entries, "size": size, "offset": offset}
    end: dict[str, Any] = {
        "signature": END_SIGNATURE, "disk": 0, "directory_disk": 0, **place,
        "comment_size": len(comment),
    }  # fmt: skip
    wide = b""
    if options.get("zip64", False):
        wide = _zip64_end(place, offset + size, options)
        end |= {"entries_here": UNKNOWN_16, "entries": UNKNOWN_16}
        end |= {"size": UNKNOWN_32, "offset": UNKNOWN_32}
    end = _overridden(end, options.get("end", {}))
    return wide + END_RECORD.pack(*end.values()) + comment + options.get("suffix", b"")


def _zip64_end(place: Overrides, position: int, options: ArchiveOptions) -> bytes:
    end: dict[str, Any] = {
        "signature": ZIP64_END_SIGNATURE, "record_size": ZIP64_END_RECORD.size - 12,
        "made_by": MADE_ON_UNIX | 45, "version": 45, "disk": 0, "directory_disk": 0, **place,
        "sector": b"",
    }  # fmt: skip
    end = _overridden(end, options.get("zip64_end", {}))
    sector: bytes = end.pop("sector")
    locator = {"signature": ZIP64_LOCATOR_SIGNATURE, "disk": 0, "offset": position, "disks": 1}
    locator = _overridden(locator, options.get("locator", {}))
    return ZIP64_END_RECORD.pack(*end.values()) + sector + ZIP64_LOCATOR.pack(*locator.values())


def _overridden(record: dict[str, Any], overrides: Overrides) -> dict[str, Any]:
    if unknown := overrides.keys() - record.keys():
        raise TypeError(f"the record has no field {sorted(unknown)}")
    return {**record, **overrides}
