"""Decompress the contents of a member in pieces of bounded size.

A few compressed bytes can stand for gigabytes, so no piece is larger than ``MAX_OUTPUT``.
``isal`` inflates about twice as fast as zlib and is used if it is installed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from types import ModuleType
from typing import Protocol, cast

from executor.archive.chunk_reader import ChunkReader, Truncated
from executor.budget.budget import History
from schemas.zipformat import InvalidZip, Method

__all__ = [
    "INFLATER",
    "MAX_OUTPUT",
    "NotStreamable",
    "contents",
    "crc32",
    "decompressor",
    "inflate_errors",
    "whole",
]


_OLDEST_ISAL = (1, 9)
"""Older versions take up to 3 bytes that follow deflated data for a part of it."""


def _fastest_zlib() -> ModuleType:
    """Return isal's zlib if it is installed and new enough, else the standard one."""
    try:
        import isal  # noqa: PLC0415  # optional
        from isal import isal_zlib  # noqa: PLC0415
    except ImportError:
        return zlib
    version = tuple(int(part) for part in isal.__version__.split(".")[:2] if part.isdigit())
    return isal_zlib if version >= _OLDEST_ISAL else zlib


class _Inflater(Protocol):
    """A raw deflate stream that keeps what it has not used of its input, as those of bz2 do."""

    @property
    def needs_input(self) -> bool: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes | memoryview, max_length: int, /) -> bytes: ...


class _ZlibInflater:
    """The standard library's stream in that form."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_RAW_DEFLATE)
        self._is_full = False

    @property
    def needs_input(self) -> bool:
        # After a full piece the stream may hold more output, though its input is used up.
        return not self._is_full and not self._stream.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes | memoryview, max_length: int, /) -> bytes:
        piece = self._stream.decompress(data or self._stream.unconsumed_tail, max_length)
        self._is_full = len(piece) == max_length
        return piece


def _fastest_inflater(module: ModuleType) -> Callable[[], _Inflater]:
    """Return what makes a stream of the library whose zlib ``module`` is."""
    if module is zlib:
        return _ZlibInflater
    from isal.igzip_lib import DECOMP_DEFLATE, IgzipDecompressor  # noqa: PLC0415  # optional

    # It makes room for a piece at once, where isal_zlib begins with 16 KiB and doubles that.
    return partial(IgzipDecompressor, DECOMP_DEFLATE, -_RAW_DEFLATE)


_RAW_DEFLATE = -15
"""The window size that stands for raw deflate in zlib
(https://docs.python.org/3/library/zlib.html#zlib.decompressobj)."""


_zlib = _fastest_zlib()


_inflater = _fastest_inflater(_zlib)


INFLATER = _zlib.__name__.removesuffix("_zlib").rpartition(".")[2]
"""The library that inflates: ``isal`` or ``zlib``."""


decompressor: Callable[[int], zlib._Decompress] = _zlib.decompressobj


inflate_errors = cast("type[Exception]", _zlib.error)


crc32: Callable[[bytes, int], int] = _zlib.crc32


MAX_OUTPUT = 128 << 10
"""Bytes per piece, of which a lane holds one: large enough that the overhead of a call does not
show. With 256 KiB, 5.2 GiB in 29 wheels took as long, and 1.1 MiB more memory."""


_STORED, _DEFLATED = Method.STORED.value, Method.DEFLATED.value


class NotStreamable(InvalidZip):
    """Only the central directory, which follows all members, records where a member ends."""


def contents(
    reader: ChunkReader,
    method: Method,
    compressed_size: int | None,
    history: History | None = None,
) -> Iterator[bytes]:
    """Yield the decompressed bytes of the member whose data ``reader`` reads next.

    ``compressed_size`` (bytes) is None if it follows the data; then only a compressed stream,
    which marks its own end, can be read. ``history`` is what it may hold of what it has yielded.
    The reader is left at the end of the data.

    Raises InvalidZip if the data is damaged or not of that size, NotStreamable if the size is
    needed and unknown, WindowTooLarge, and Truncated.
    """
    start = reader.offset
    if method is Method.STORED:
        if compressed_size is None:
            raise NotStreamable("it is stored, and its size is not stated before its data")
        yield from _stored(reader, compressed_size)
        return
    if method is Method.DEFLATED:
        yield from _deflated(reader, compressed_size)
    else:
        # Imported late: no wheel on PyPI uses it yet, and it takes 2 MiB.
        from executor.archive.zstandard_data import decompressed  # noqa: PLC0415

        if compressed_size is None:
            raise NotStreamable(
                "it is zstandard-compressed, and its size is not stated before its data"
            )
        yield from decompressed(reader, compressed_size, MAX_OUTPUT, history)
    if compressed_size is not None and reader.offset - start != compressed_size:
        raise InvalidZip(
            f"its data ends after {reader.offset - start} of {compressed_size} compressed bytes"
        )


def whole(data: memoryview, method: int, size: int) -> bytes | None:
    """Return the ``size`` bytes that all of ``data`` decompresses to, at once.

    None if it does not decompress to exactly that, or cannot be done at once; ``contents`` raises
    the reason.
    """
    if method == _STORED:
        return bytes(data) if len(data) == size else None
    if method != _DEFLATED or size > MAX_OUTPUT:
        return None
    stream = decompressor(_RAW_DEFLATE)
    try:
        # One byte more than expected shows data that goes on.
        content: bytes = stream.decompress(data, size + 1)
    except inflate_errors:
        return None
    exact = stream.eof and not stream.unused_data and len(content) == size
    return content if exact else None


def _stored(reader: ChunkReader, size: int) -> Iterator[bytes]:
    while size:
        piece = reader.some(min(size, MAX_OUTPUT))
        if not piece:
            raise Truncated
        size -= len(piece)
        yield bytes(piece)


def _deflated(reader: ChunkReader, compressed_size: int | None) -> Iterator[bytes]:
    stream = _inflater()
    left = compressed_size
    while not stream.eof:
        data: bytes | memoryview = b""
        if stream.needs_input:
            data = _next_input(reader, left)
            left = None if left is None else left - len(data)
        try:
            piece = stream.decompress(data, MAX_OUTPUT)
        except inflate_errors as error:
            raise InvalidZip(f"its deflated data is damaged ({error})") from None
        if piece:
            yield piece
    reader.give_back(stream.unused_data)


def _next_input(reader: ChunkReader, left: int | None) -> memoryview:
    if left == 0:
        raise InvalidZip("its compressed data goes on after its compressed size")
    data = reader.some(MAX_OUTPUT if left is None else min(left, MAX_OUTPUT))
    if not data:
        raise Truncated
    return data
