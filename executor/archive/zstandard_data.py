"""The contents of a member that is compressed with zstandard (method 93)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import IO, cast

from executor.archive.chunk_reader import ChunkReader, Truncated
from executor.archive.errors import DecoderMissing, WindowTooLarge
from executor.budget.budget import History
from schemas.zipformat import InvalidZip

__all__ = ["decompressed"]


_MAX_WINDOW = 8 << 20
"""Bytes; the window that every decoder should support (RFC 8878, 3.1.1.1.2)."""


_MAX_HEADER = 18
"""Bytes (RFC 8878, 3.1.1.1)."""


_SINGLE_SEGMENT = 0x20
"""The flag of a frame whose window is all of it."""


_ID_SIZES = (0, 1, 2, 4)
"""Bytes of the number of the dictionary, by the lowest two flags."""


def decompressed(
    reader: ChunkReader, compressed_size: int, piece_size: int, history: History | None = None
) -> Iterator[bytes]:
    """Yield what the next ``compressed_size`` bytes of ``reader`` decompress to, in pieces of up to
    ``piece_size`` bytes. The library ``zstandard`` does it, or else Python 3.14 and newer.

    Raises InvalidZip if they are not exactly one frame, Truncated, DecoderMissing if there is
    neither, and WindowTooLarge if there is more to hold than ``history`` allows.
    """
    portion = _Portion(reader, compressed_size)
    if history is not None and history.most < (window := portion.window()) <= _MAX_WINDOW:
        raise WindowTooLarge(window, history)
    try:
        import zstandard  # noqa: PLC0415, F401  # optional
    except ImportError:
        yield from _by_python(portion, piece_size)
    else:
        yield from _by_library(portion, piece_size)


def _by_library(portion: _Portion, piece_size: int) -> Iterator[bytes]:
    import zstandard  # noqa: PLC0415  # optional

    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    # It calls nothing but read().
    stream = decompressor.stream_reader(cast("IO[bytes]", portion), read_size=piece_size)
    size = 0
    try:
        while piece := stream.read(piece_size):
            size += len(piece)
            yield piece
        # The library compares them too, unless the last block is empty and comes by itself.
        stated = zstandard.get_frame_parameters(portion.head).content_size
        if stated not in (0, size, zstandard.CONTENTSIZE_UNKNOWN):
            raise InvalidZip(f"its zstandard frame states {stated} bytes and holds {size}")
    except zstandard.ZstdError as error:
        raise InvalidZip(f"its zstandard data is damaged ({error})") from None


def _by_python(portion: _Portion, piece_size: int) -> Iterator[bytes]:
    try:
        zstd = import_module("compression.zstd")
    except ImportError:
        raise DecoderMissing from None
    options = {zstd.DecompressionParameter.window_log_max: _MAX_WINDOW.bit_length() - 1}
    stream = zstd.ZstdDecompressor(options=options)
    size = 0
    try:
        while not stream.eof:
            data = portion.read(piece_size) if stream.needs_input else b""
            if stream.needs_input and not data:
                raise InvalidZip("its zstandard data is damaged (it ends within a frame)")
            piece = stream.decompress(data, piece_size)
            size += len(piece)
            if piece:
                yield piece
        if stream.unused_data or portion.read(1):
            raise InvalidZip("its zstandard data is damaged (bytes follow its frame)")
        stated = zstd.get_frame_info(portion.head).decompressed_size
        if stated not in {None, size}:
            raise InvalidZip(f"its zstandard frame states {stated} bytes and holds {size}")
    except zstd.ZstdError as error:
        raise InvalidZip(f"its zstandard data is damaged ({error})") from None


class _Portion:
    """The next ``size`` bytes of a reader, as the file that zstandard reads from. One member's
    decompression owns it.
    """

    def __init__(self, reader: ChunkReader, size: int) -> None:
        self._reader = reader
        self._left = size
        self.head = b""
        """Its first bytes, as many as a frame header can have."""

    def window(self) -> int:
        """Return the bytes that its frame wants to be kept for what follows (RFC 8878, 3.1.1.1.2);
        0 if it is not a frame. Nothing is read for the one who reads next. Raises Truncated.
        """
        head = self._reader.exactly(min(_MAX_HEADER, self._left))
        self._reader.give_back(head)
        if len(head) < _MAX_HEADER:
            return 0
        flags = head[4]
        if flags & _SINGLE_SEGMENT:
            place = 5 + _ID_SIZES[flags & 3]
            size = int.from_bytes(head[place : place + (1 << (flags >> 6))], "little")
            return size + 256 if flags >> 6 == 1 else size
        exponent, mantissa = divmod(head[5], 8)
        base = 1 << (10 + exponent)
        return base + base // 8 * mantissa

    def read(self, count: int) -> bytes:
        """Return up to ``count`` bytes, none at the end. Raises Truncated."""
        if not self._left:
            return b""
        piece = self._reader.some(min(count, self._left))
        if not piece:
            raise Truncated
        self._left -= len(piece)
        if len(self.head) < _MAX_HEADER:
            self.head += piece[:_MAX_HEADER]
        return bytes(piece)
