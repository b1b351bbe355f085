"""Gzip from a server, decompressed in bounded pieces.

A few kilobytes can stand for gigabytes, so the caller gets one piece at a time and counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from executor.archive.inflate import decompressor, inflate_errors

__all__ = ["DamagedGzip", "GzipDecoder"]

_GZIP = 16 + 15
"""https://docs.python.org/3/library/zlib.html#zlib.decompress"""


_MAGIC = b"\x1f\x8b"
"""How gzip begins (RFC 1952, 2.3.1)."""


class DamagedGzip(ValueError):
    """The bytes are not gzip."""


class GzipDecoder:
    """One gzip stream that arrives in chunks; the reader of a response owns it."""

    def __init__(self, piece: int) -> None:
        """``piece`` is the most bytes that are decompressed at once."""
        self._piece = piece
        self._stream = decompressor(_GZIP)
        self._is_begun = False

    @property
    def is_complete(self) -> bool:
        """Whether the end of the stream has arrived; what follows it is ignored."""
        return self._stream.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what ``chunk`` decompresses to; nothing if it only begins something.

        Raises DamagedGzip.
        """
        # isal waits for a whole header before it looks at one.
        if chunk and not self._is_begun and not _MAGIC.startswith(chunk[:2]):
            raise DamagedGzip("it does not begin as gzip does")
        self._is_begun = self._is_begun or bool(chunk)
        while chunk and not self._stream.eof:
            try:
                piece = self._stream.decompress(chunk, self._piece)
            except inflate_errors as error:
                raise DamagedGzip(str(error)) from None
            chunk = self._stream.unconsumed_tail
            if piece:
                yield piece
