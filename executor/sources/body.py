"""Body: the bytes of one response, held to a pace, and decoded where a server encodes unasked."""

from __future__ import annotations

import http.client
import time
import zlib
from collections.abc import Callable, Iterator

from executor.errors import Unreachable

__all__ = [
    "IDLE_SECONDS",
    "Pace",
    "Retryable",
    "check_type",
    "is_encoded",
    "printable",
    "read_body",
    "reason_of",
]

_CHUNK = 128 << 10
"""Bytes read at once. A lane holds one chunk; TLS hands out 16 KiB at a time and more does not
arrive faster."""

IDLE_SECONDS = 15.0
"""Without a byte for so long, a connection is dead; pip waits as long, uv twice."""

_MIN_RATE = 1000
"""Bytes per second that a server must bring while we wait for it. One that brings fewer (a mobile
network of 2005 brought 5,000) keeps us busy rather than serves us."""

_PACE_SECONDS = 20.0
"""Seconds of waiting between two looks at the rate: slow starts and short stalls are forgiven."""

_TOTAL_SECONDS = 4 * 3600.0
"""For one file; the largest wheel of 2026 (3 GB) takes an hour at 1 MB/s."""

_GZIP = 16 + zlib.MAX_WBITS
"""https://docs.python.org/3/library/zlib.html#zlib.decompress"""

_MAX_SHOWN = 80
"""Characters of what a server said that are shown: one line."""


class Retryable(Exception):  # it never leaves this folder
    """An attempt failed; another may not."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


class Pace:
    """How fast the bytes of one attempt come. Only time that we wait counts."""

    def __init__(self, began: float) -> None:
        """``began`` is when the first attempt for the file began, by ``time.monotonic``."""
        self._deadline = began + _TOTAL_SECONDS
        self._waited = 0.0
        self._bytes = 0
        self._looked_at = (0.0, 0)

    @property
    def is_slow(self) -> bool:
        """Whether the attempt as a whole was too slow to be called progress."""
        return self._bytes < _MIN_RATE * self._waited

    def add(self, size: int, waited: float, now: float) -> None:
        """``size`` bytes came after ``waited`` seconds. Raises Retryable."""
        self._waited += waited
        self._bytes += size
        waited_then, bytes_then = self._looked_at
        waiting = self._waited - waited_then
        if waiting >= _PACE_SECONDS:
            if self._bytes - bytes_then < _MIN_RATE * waiting:
                raise Retryable(f"it sends fewer than {_MIN_RATE} bytes a second")
            self._looked_at = (self._waited, self._bytes)
        if now > self._deadline:
            raise Retryable(f"it has taken more than {_TOTAL_SECONDS / 3600:.0f} hours")


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


def read_body(response: http.client.HTTPResponse, pace: Pace, *, decode: bool) -> Iterator[bytes]:
    """The body in chunks of at most 128 KiB. Raises Retryable where it ends early or is damaged."""
    expected = response.length
    arrived = 0
    decoder = zlib.decompressobj(_GZIP)
    while chunk := _read(response, pace):
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


def _read(response: http.client.HTTPResponse, pace: Pace) -> bytes:
    """The next chunk; empty at the end."""
    # Not response.read(): that waits for the whole chunk, however slowly it comes.
    parts: list[bytes] = []
    missing = _CHUNK
    clock: Callable[[], float] = time.monotonic
    while missing:
        began = clock()
        try:
            part = response.read1(missing)
        except (OSError, http.client.HTTPException) as error:
            if parts:
                # It shows again at the next read; what came before it counts.
                break
            pace.add(0, clock() - began, clock())
            raise Retryable(reason_of(error)) from None
        now = clock()
        if not part:
            break
        parts.append(part)
        missing -= len(part)
        pace.add(len(part), now - began, now)
    return parts[0] if len(parts) == 1 else b"".join(parts)
