"""A tar archive read forwards, once, with every length bounded.

tarfile reads names and extended headers of any length into memory, and its filters depend on the
patch release of Python (CVE-2025-4517). Sources: POSIX.1-2017, pax, "ustar Interchange Format" and
"pax Extended Header"; GNU tar, "Basic Tar Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from executor.archive.chunk_reader import ChunkReader

__all__ = ["MAX_HEADER", "InvalidTar", "TarMember", "read_tar"]

_BLOCK = 512

MAX_HEADER = 64 << 10
"""Bytes of one extended header or long name; a path of Linux has at most 4,096."""

Kind = Literal["file", "folder", "symlink", "hardlink"]

_KINDS: dict[bytes, Kind] = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"5": "folder",
}

_REFUSED = {
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a FIFO",
    b"S": "a sparse file",
}


class InvalidTar(ValueError):
    """A header breaks a rule of the format, or describes what a source archive does not hold."""


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member; its contents are read from the archive before the next member."""

    name: str
    kind: Kind
    size: int
    """Bytes of contents; 0 for everything but a file."""
    target: str
    """What a link leads to; empty for the rest."""
    mode: int


@dataclass(frozen=True, slots=True)
class _Extended:
    """What headers before a member say in place of its own fields."""

    name: str | None = None
    target: str | None = None
    size: int | None = None


def read_tar(reader: ChunkReader) -> Iterator[TarMember]:
    """Yield the members in the order of the archive. What the caller leaves of the contents of a
    file is skipped.

    Raises InvalidTar, and Truncated if the archive ends before its end.
    """
    extended = _Extended()
    while (header := _block(reader)) not in (b"", bytes(_BLOCK)):
        _check_sum(header)
        kind, size = header[156:157], _number(header[124:136])
        if kind in (b"x", b"L", b"K"):
            extended = _extend(extended, kind, _content(reader, size))
            continue
        if kind == b"g":
            _refuse_global(_content(reader, size))
            continue
        member = _member(header, kind, size, extended)
        extended = _Extended()
        start = reader.offset
        yield member
        reader.leave(start + _padded(member.size) - reader.offset)


def _block(reader: ChunkReader) -> bytes:
    """Return the next block; empty at the end of the archive, which some tools do not mark."""
    first = bytes(reader.some(1))
    return first + reader.exactly(_BLOCK - 1) if first else b""


def _member(header: bytes, kind: bytes, size: int, extended: _Extended) -> TarMember:
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and header[345]:
        name = f"{_text(header[345:500])}/{name}"
    name = extended.name or name
    if kind not in _KINDS:
        what = _REFUSED.get(kind, f"of the unknown type {kind!r}")
        raise InvalidTar(f"{name!r} is {what}")
    found = _KINDS[kind]
    if found == "file" and name.endswith("/"):
        found = "folder"  # as archives from before POSIX say it
    return TarMember(
        name,
        found,
        (size if extended.size is None else extended.size) if found == "file" else 0,
        extended.target or _text(header[157:257]) if found in ("symlink", "hardlink") else "",
        _number(header[100:108]),
    )


def _extend(extended: _Extended, kind: bytes, content: bytes) -> _Extended:
    if kind == b"L":
        return replace(extended, name=_text(content))
    if kind == b"K":
        return replace(extended, target=_text(content))
    records = dict(_pax_records(content))
    if any(key.startswith("GNU.sparse.") for key in records):
        raise InvalidTar("it holds a sparse file")
    if "size" in records:
        if not records["size"].isdecimal() or len(records["size"]) > 20:
            raise InvalidTar(f"an extended header states the size {records['size'][:40]!r}")
        extended = replace(extended, size=int(records["size"]))
    return replace(
        extended,
        name=records.get("path", extended.name),
        target=records.get("linkpath", extended.target),
    )


def _refuse_global(content: bytes) -> None:
    """Raise InvalidTar if a header for all members names or sizes them; comments are common."""
    if set(dict(_pax_records(content))) & {"path", "linkpath", "size"}:
        raise InvalidTar("a global header names all its members")


def _pax_records(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the pairs of ``LENGTH KEY=VALUE`` lines."""
    at = 0
    while at < len(content):
        space = content.find(b" ", at, at + 20)
        length = content[at:space] if space > 0 else b""
        end = at + int(length) if length.isdigit() else at
        key, equals, value = content[space + 1 : end - 1].partition(b"=")
        is_whole = at < space < end <= len(content) and content[end - 1 : end] == b"\n"
        if not is_whole or not equals:
            raise InvalidTar("an extended header is damaged")
        if b"\0" in value and key in (b"path", b"linkpath"):
            raise InvalidTar("a name holds a zero byte")
        yield key.decode("utf-8", "replace"), value.decode("utf-8", "surrogateescape")
        at = end


def _content(reader: ChunkReader, size: int) -> bytes:
    if size > MAX_HEADER:
        raise InvalidTar(f"an extended header has {size} bytes, more than {MAX_HEADER}")
    content = reader.exactly(size)
    reader.leave(_padded(size) - size)
    return content


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _check_sum(header: bytes) -> None:
    """Raise InvalidTar if the checksum of the header is wrong; old tars summed signed bytes."""
    without = header[:148] + b" " * 8 + header[156:]
    signed = sum(byte - 256 if byte > 127 else byte for byte in without)
    if _number(header[148:156]) not in (sum(without), signed):
        raise InvalidTar("a header is damaged: its checksum is wrong")


def _number(field: bytes) -> int:
    """Return a number in octal digits or, as GNU tar writes large ones, in base 256."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not all(0x30 <= digit <= 0x37 for digit in digits):
        raise InvalidTar("a header is damaged: a number in it cannot be read")
    return int(digits or b"0", 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")
