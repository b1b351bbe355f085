"""Source archives, unpacked by our own walk so that nothing lands outside of one folder.

Source: https://packaging.python.org/specifications/source-distribution-format/ (PEP 721: no
escaping names and links, no devices, no set-uid bits).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from executor.archive.central_directory import read_directory
from executor.archive.chunk_reader import ChunkReader, Truncated
from executor.archive.tar_reader import InvalidTar, TarMember, read_tar
from executor.archive.unzip import ForwardZip
from executor.budget.memory import available_memory, own_memory
from executor.builds.errors import SourceNeedsMemory, SourceRefused
from executor.builds.source_files import MAX_SIZE, SourceFiles, Unsafe
from schemas.zipformat import InvalidZip

__all__ = ["MAX_FACTOR", "MIN_LIMIT", "unpack_source"]

_CHUNK = 256 << 10
"""Bytes read at a time, and inflated at most at a time."""

MIN_LIMIT = 1 << 30
"""Bytes that any archive may unpack to, headers and padding included."""

MAX_FACTOR = 200
"""Times its size that a larger one may unpack to; sources are packed to a tenth at most."""

_XZ_MEMORY = 256 << 20
"""Bytes that an xz archive may ask for; its highest preset takes 65 MiB."""

_BESIDES = 4 << 20
"""Bytes that unpacking takes besides what the library for xz counts."""

_TOO_LARGE = "Memory usage limit exceeded"
"""What the library for xz says, which has no code for it (Modules/_lzmamodule.c)."""

_XZ, _BZIP2, _GZIP, _ZIP = b"\xfd7zXZ\0", b"BZh", b"\x1f\x8b", b"PK\3\4"


def unpack_source(archive: str, folder: str) -> str:
    """Unpack the file ``archive`` into the empty ``folder``. Return the path of the source tree:
    the one folder that the archive holds, or ``folder`` if it holds more.

    Raises SourceRefused, SourceNeedsMemory, and OSError if the disk fails.
    """
    name = os.path.basename(archive)
    files = SourceFiles(folder)
    try:
        with open(archive, "rb") as file:
            # By its content: archives of a forge are named after the branch.
            begins = file.read(6)
            file.seek(0)
            if begins.startswith(_ZIP):
                _unpack_zip(archive, file, files)
            else:
                _unpack_tar(_limited(_plain(file, begins), os.fstat(file.fileno()).st_size), files)
    except Unsafe as error:
        raise SourceRefused(name, str(error)) from None
    except (InvalidTar, InvalidZip, _Damaged) as error:
        raise SourceRefused(name, f"cannot be unpacked: {error}") from None
    except Truncated:
        raise SourceRefused(name, "cannot be unpacked: it ends too early") from None
    entries = os.listdir(folder)
    only = os.path.join(folder, entries[0]) if len(entries) == 1 else folder
    return only if os.path.isdir(only) and not os.path.islink(only) else folder


class _Damaged(ValueError):
    """Compressed data that no compressor writes."""


def _unpack_tar(chunks: Iterator[bytes], files: SourceFiles) -> None:
    reader = ChunkReader(chunks)
    for member in read_tar(reader):
        if member.kind == "folder":
            files.folder(member.name)
        elif member.kind == "symlink":
            files.symlink(member.name, member.target)
        elif member.kind == "hardlink":
            files.hardlink(member.name, member.target)
        else:
            content = _content(reader, member)
            files.file(member.name, content, executable=bool(member.mode & stat.S_IXUSR))


def _content(reader: ChunkReader, member: TarMember) -> Iterator[bytes]:
    left = member.size
    while left:
        piece = reader.some(left)
        if not piece:
            raise Truncated
        left -= len(piece)
        yield bytes(piece)


def _unpack_zip(archive: str, file: BinaryIO, files: SourceFiles) -> None:
    opened = ForwardZip(iter(partial(file.read, _CHUNK), b""), read_directory(archive))
    written: dict[int, str] = {}
    for member in opened.members():
        if "\\" in member.name or member.name.startswith("/"):
            raise Unsafe(f"{member.name!r} is outside")
        if member.name.endswith("/"):
            files.folder(member.name)
        else:
            path = files.file(member.name, member.pieces(), executable=False)
            written[member.offset] = path
    for entry in opened.central_entries():
        if stat.S_IFMT(entry.mode) == stat.S_IFLNK:
            raise Unsafe(f"{entry.name!r} is a link")
        path = written.get(entry.offset, "")
        if path and os.path.isfile(path):
            os.chmod(path, 0o755 if entry.is_executable else 0o644)


def _plain(file: BinaryIO, begins: bytes) -> Iterator[bytes]:
    """Yield the bytes of a tar archive, however it is compressed."""
    if begins.startswith(_GZIP):
        return _gunzipped(file)
    if begins.startswith((_BZIP2, _XZ)):
        return _decompressed(file, is_xz=begins.startswith(_XZ))
    return iter(partial(file.read, _CHUNK), b"")


def _limited(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the chunks of an archive of ``size`` bytes, as long as it can be one of sources.

    Not only files have contents: headers without end would be read without end.
    """
    limit = min(MAX_SIZE + MIN_LIMIT, max(MIN_LIMIT, MAX_FACTOR * size))
    plain = 0
    for chunk in chunks:
        plain += len(chunk)
        if plain > limit:
            raise Unsafe(f"of {size} bytes, it unpacks to more than {limit}")
        yield chunk


def _gunzipped(file: BinaryIO) -> Iterator[bytes]:
    import gzip  # noqa: PLC0415  # only builds unpack sources
    import zlib  # noqa: PLC0415

    with gzip.GzipFile(fileobj=file) as opened:
        try:
            yield from iter(partial(opened.read, _CHUNK), b"")
        except EOFError:
            raise Truncated from None
        except (zlib.error, gzip.BadGzipFile) as error:
            raise _Damaged(str(error)) from None


def _decompressed(file: BinaryIO, *, is_xz: bool) -> Iterator[bytes]:
    """Yield the plain bytes of the streams in a bzip2 or xz file."""
    import bz2  # noqa: PLC0415
    import lzma  # noqa: PLC0415

    available = available_memory()
    left = _XZ_MEMORY if available is None else available - own_memory() - _BESIDES
    most = max(0, min(_XZ_MEMORY, left))
    data = file.read(_CHUNK)
    while data:
        stream: bz2.BZ2Decompressor | lzma.LZMADecompressor = (
            lzma.LZMADecompressor(memlimit=most) if is_xz else bz2.BZ2Decompressor()
        )
        while not stream.eof:
            if stream.needs_input and not (data := data or file.read(_CHUNK)):
                raise Truncated
            try:
                piece = stream.decompress(data, max_length=_CHUNK)
            except (lzma.LZMAError, OSError, ValueError) as error:
                if most < _XZ_MEMORY and str(error) == _TOO_LARGE:
                    raise SourceNeedsMemory(os.path.basename(file.name), most) from None
                raise _Damaged(str(error)) from None
            data = b""
            if piece:
                yield piece
        # Padding of zeros may follow the last stream (xz file format, 2.2).
        data = (stream.unused_data or file.read(_CHUNK)).lstrip(b"\0")
