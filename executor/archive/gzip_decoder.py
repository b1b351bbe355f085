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
    """Gzip that arrives in chunks, of one member or several; the reader of a response owns it."""

    def __init__(self, piece: int) -> None:
        """``piece`` is the most bytes that are decompressed at once."""
        self._piece = piece
        self._stream = decompressor(_GZIP)
        self._is_begun = False

    @property
    def is_complete(self) -> bool:
        """Whether the end of a member has arrived; what follows it and is none is ignored."""
        return self._stream.eof

    def goes_on(self, chunk: bytes) -> bool:
        """Return whether ``chunk`` may belong to the stream: after the end of one member, another
        may begin (RFC 1952, 2.2).
        """
        return not self._stream.eof or _begins(chunk)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what ``chunk`` decompresses to; nothing if it only begins something.

        Raises DamagedGzip.
        """
        # isal waits for a whole header before it looks at one.
        if chunk and not self._is_begun and not _begins(chunk):
            raise DamagedGzip("it does not begin as gzip does")
        self._is_begun = self._is_begun or bool(chunk)
        while chunk and self.goes_on(chunk):
            if self._stream.eof:
                self._stream = decompressor(_GZIP)
            try:
                piece = self._stream.decompress(chunk, self._piece)
            except inflate_errors as error:
                raise DamagedGzip(str(error)) from None
            is_ended = self._stream.eof
            chunk = self._stream.unused_data if is_ended else self._stream.unconsumed_tail
            if piece:
                yield piece


def _begins(chunk: bytes) -> bool:
    return bool(chunk) and _MAGIC.startswith(chunk[:2])
