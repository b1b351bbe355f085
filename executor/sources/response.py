"""The bytes of one HTTP response, held to a pace, and decoded if the server encoded them."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Iterator
from typing import Any

from executor.archive.gzip_decoder import DamagedGzip, GzipDecoder
from executor.sources.arrival import Arrival
from executor.sources.errors import Unreachable
from executor.sources.retries import Pace, Retryable, clock
from schemas.text import one_line

__all__ = ["MAX_SHOWN", "PacedResponse", "check_type", "is_encoded", "read_body", "reason_of"]


_CHUNK = 128 << 10
"""Bytes read at once. A lane holds one chunk; TLS hands out 16 KiB at a time and more does not
arrive faster."""


_MAX_END = 4 << 10
"""Bytes of the last chunk, which is empty, and its trailers."""


MAX_SHOWN = 80
"""Characters of a server's text that are shown: one line."""


class PacedResponse(http.client.HTTPResponse):
    """A response that is held to a pace from the first byte of its head on; owned by the client.

    A server may send slowly anywhere, and ``http.client`` waits for the end of a line however
    slowly it comes. It also reads chunk extensions and trailers without end: only what is of use
    to the file counts as progress, and the rest is limited.
    """

    def __init__(self, pace: Pace, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.arrived = 0
        """Bytes of the body so far, as the server sent them."""
        self._arrival = Arrival(pace)
        self.fp = io.BufferedReader(_Arriving(self.fp.detach(), self._arrival))

    def begin(self) -> None:
        super().begin()
        self._arrival.begin_body()

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status line. Interim responses are passed over as 100 is (RFC 9110, 15.2):
        http.client takes others for the answer.
        """
        version, status, reason = super()._read_status()  # type: ignore[misc]  # of the base class
        is_interim = 100 < status < 200 and status != http.client.SWITCHING_PROTOCOLS
        return version, http.client.CONTINUE if is_interim else status, reason

    def end(self) -> bytes | None:
        """Read the end of a body without a stated length whose last byte should have arrived.

        Return nothing if it ends, a byte if it goes on, and None if it does neither soon: its
        trailers do not matter to the file.
        """
        self._arrival.limit(_MAX_END)
        try:
            return self.read1(1)
        except (OSError, http.client.HTTPException, Retryable):
            return None

    def used(self, size: int) -> None:
        """Record that ``size`` bytes that were read are bytes of the file."""
        self._arrival.used(size)


class _Arriving(io.RawIOBase):
    """The bytes of a connection as they arrive."""

    def __init__(self, raw: io.RawIOBase, arrival: Arrival) -> None:
        self._raw = raw
        self._arrival = arrival

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        arrival = self._arrival
        if arrival.problem:
            raise Retryable(arrival.problem)
        began, size = clock(), 0
        try:
            size = self._raw.readinto(buffer) or 0
        finally:
            now = clock()
            arrival.add(size, now - began, now)
        if arrival.is_beyond_measure:
            raise Retryable(arrival.problem)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


def check_type(response: http.client.HTTPResponse, url: str) -> None:
    """Raise Unreachable if the response is a web page, which is not a wheel.

    ``url`` is for the message.
    """
    kind = response.headers.get_content_type()
    if kind in {"text/html", "application/xhtml+xml"}:
        raise Unreachable(
            url,
            f"the server answered with a web page ({kind})",
            hint="check whether the network requires a sign-in, or a proxy requires a password",
        )


def is_encoded(response: http.client.HTTPResponse, url: str) -> bool:
    """Return whether the server compressed the body, although the request did not accept that.

    ``url`` is for the message. Raises Unreachable for an unknown encoding.
    """
    encoding = response.getheader("Content-Encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return False
    if encoding in {"gzip", "x-gzip"}:
        return True
    raise Unreachable(
        url,
        f"the server sent it encoded as {one_line(encoding, MAX_SHOWN)!r}, which the request did "
        "not accept",
        hint="configure the server, or the proxy in front of it, to send files unencoded",
    )


def read_body(response: PacedResponse, *, decode: bool, size: int | None = None) -> Iterator[bytes]:
    """Yield the body in chunks of at most 128 KiB. A chunk ends after ``size`` bytes, if that is
    known: what follows the file may be long in coming.

    Raises Retryable if it ends early or is damaged.
    """
    expected = response.length
    arrived = 0
    decoder = GzipDecoder(_CHUNK)
    while chunk := _read(response, _missing(size, arrived), counts=not decode):
        arrived += len(chunk)
        if not decode:
            yield chunk
            continue
        if decoder.is_complete:
            raise Retryable("bytes follow the end of its gzip encoding")
        try:
            for content in decoder.pieces(chunk):
                response.used(len(content))
                yield content
        except DamagedGzip:
            raise Retryable("its gzip encoding is damaged") from None
    if expected is not None and arrived < expected:
        raise Retryable(f"the connection ended after {arrived} bytes")
    if decode and not decoder.is_complete:
        raise Retryable("its gzip encoding ends too early")


def reason_of(error: Exception) -> str:
    """Return what went wrong with a connection, as text for the user."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(str(error), MAX_SHOWN) or type(error).__name__


def _missing(size: int | None, arrived: int) -> int:
    """Return how many bytes to read next."""
    return _CHUNK if size is None or arrived >= size else min(_CHUNK, size - arrived)


def _read(response: PacedResponse, missing: int, *, counts: bool) -> bytes:
    """Return the next chunk, of ``missing`` bytes if they come; empty at the end. If ``counts``,
    all of it is of the file.
    """
    # Not response.read(): that waits for the whole chunk, however slowly it comes.
    parts: list[bytes] = []
    while missing:
        try:
            part = response.read1(missing)
        except (OSError, http.client.HTTPException, Retryable) as error:
            if parts:
                # The error shows again at the next read; the bytes before it count.
                break
            if isinstance(error, Retryable):
                raise
            raise Retryable(reason_of(error)) from None
        if not part:
            break
        parts.append(part)
        missing -= len(part)
        response.arrived += len(part)
        if not counts:
            break  # what it decodes to counts, before more is read
        response.used(len(part))
    return parts[0] if len(parts) == 1 else b"".join(parts)
