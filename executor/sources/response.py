"""Body: the bytes of one response, held to a pace, and decoded where a server encodes unasked."""

from __future__ import annotations

import http.client
import io
import socket
import zlib
from collections.abc import Iterator
from typing import Any

from executor.sources.errors import Unreachable
from executor.sources.retries import Pace, Retryable, clock

__all__ = ["PacedResponse", "check_type", "is_encoded", "printable", "read_body", "reason_of"]


_CHUNK = 128 << 10
"""Bytes read at once. A lane holds one chunk; TLS hands out 16 KiB at a time and more does not
arrive faster."""


_GZIP = 16 + zlib.MAX_WBITS
"""https://docs.python.org/3/library/zlib.html#zlib.decompress"""


_MAX_HEAD = 1 << 20
"""Bytes of a head, with all interim responses before it; real ones have a few hundred."""


_MAX_SHOWN = 80
"""Characters of what a server said that are shown: one line."""


class PacedResponse(http.client.HTTPResponse):
    """A response that is held to a pace from the first byte of its head on: a server may drip
    anywhere, and ``http.client`` waits for the end of a line however slowly it comes.
    """

    def __init__(self, pace: Pace, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self._arriving = _Arriving(self.fp.detach(), pace)
        self.fp = io.BufferedReader(self._arriving)

    def begin(self) -> None:
        self._arriving.most = _MAX_HEAD
        super().begin()
        self._arriving.most = None


class _Arriving(io.RawIOBase):
    """The bytes of a connection as they arrive."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        self.most: int | None = None
        """How many bytes may come, where that is limited."""
        self._raw = raw
        self._pace = pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        pace = self._pace
        if pace.problem:
            raise Retryable(pace.problem)
        began, size = clock(), 0
        try:
            size = self._raw.readinto(buffer) or 0
        finally:
            now = clock()
            pace.add(size, now - began, now)
        if self.most is not None:
            self.most -= size
            if self.most < 0:
                raise Retryable("its head does not end")
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


def check_type(response: http.client.HTTPResponse, url: str) -> None:
    """Refuse a web page, which no wheel is. ``url`` is for the message. Raises Unreachable."""
    kind = response.headers.get_content_type()
    if kind in {"text/html", "application/xhtml+xml"}:
        raise Unreachable(
            url,
            f"it is answered with a web page ({kind})",
            hint="is there a page to sign in to the network, or a proxy that asks for a password?",
        )


def is_encoded(response: http.client.HTTPResponse, url: str) -> bool:
    """Whether the body is compressed on the way, though that was not asked for. ``url`` is for the
    message. Raises Unreachable where it is in a way that is not known.
    """
    encoding = response.getheader("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return False
    if encoding in {"gzip", "x-gzip"}:
        return True
    raise Unreachable(
        url,
        f"it is sent encoded as {printable(encoding)!r}, which was not asked for",
        hint="the server or a proxy before it must send files as they are",
    )


def read_body(response: http.client.HTTPResponse, *, decode: bool) -> Iterator[bytes]:
    """The body in chunks of at most 128 KiB. Raises Retryable where it ends early or is damaged."""
    expected = response.length
    arrived = 0
    decoder = zlib.decompressobj(_GZIP)
    while chunk := _read(response):
        arrived += len(chunk)
        if not decode:
            yield chunk
        while decode and chunk and not decoder.eof:
            try:
                content = decoder.decompress(chunk, _CHUNK)
            except zlib.error:
                raise Retryable("its gzip encoding is damaged") from None
            chunk = decoder.unconsumed_tail
            if content:
                yield content
    if expected is not None and arrived < expected:
        raise Retryable(f"the connection ended after {arrived} bytes")
    if decode and not decoder.eof:
        raise Retryable("its gzip encoding ends too early")


def reason_of(error: Exception) -> str:
    """What went wrong with a connection, for a person."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return printable(str(error)) or type(error).__name__


def printable(text: str) -> str:
    """What a server said, fit for a line on a terminal."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."


def _read(response: http.client.HTTPResponse) -> bytes:
    """The next chunk; empty at the end."""
    # Not response.read(): that waits for the whole chunk, however slowly it comes.
    parts: list[bytes] = []
    missing = _CHUNK
    while missing:
        try:
            part = response.read1(missing)
        except (OSError, http.client.HTTPException, Retryable) as error:
            if parts:
                # It shows again at the next read; what came before it counts.
                break
            if isinstance(error, Retryable):
                raise
            raise Retryable(reason_of(error)) from None
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
