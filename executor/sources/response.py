"""The bytes of one HTTP response, held to a pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from executor.sources.arrival import Arrival
from executor.sources.http1 import (
    MAX_HEADERS,
    MAX_LINE,
    MAX_SHOWN,
    Head,
    HttpError,
    body_of,
    check_begun,
    chunk_size,
    end_of_head,
    read_head,
)
from executor.sources.retries import Pace, Retryable, clock
from schemas.text import one_line

if TYPE_CHECKING:
    import socket

__all__ = [
    "CHUNK",
    "PacedResponse",
    "reason_of",
]


CHUNK = 128 << 10
"""Bytes read at once. A lane holds one chunk; TLS hands out 16 KiB at a time and more does not
arrive faster."""


_BLOCK = 64 << 10
"""Bytes read at once where it is not known how many are of the body: in a head, between chunks. A
small file comes together with its head."""


_MAX_END = 4 << 10
"""Bytes of the last chunk, which is empty, and its trailers."""


_TLS_PROBLEMS = {
    "WRONG_VERSION_NUMBER": "the server does not speak TLS at that port",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": (
        "the server does not agree on TLS; it may want a client certificate (SSL_CLIENT_CERT)"
    ),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": (
        "the server wants a client certificate (SSL_CLIENT_CERT)"
    ),
    "TLSV1_ALERT_UNKNOWN_CA": "the server does not trust the client certificate (SSL_CLIENT_CERT)",
    **dict.fromkeys(
        ("TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"),
        "the server speaks no version of TLS that is accepted here (1.2 or newer)",
    ),
    "TLSV1_UNRECOGNIZED_NAME": "the server does not know the name that it was called by",
}
"""What OpenSSL's names of errors mean to the user."""


class PacedResponse:
    """A response that is held to a pace from the first byte of its head on; owned by the client.

    A server may send slowly anywhere, and send chunk extensions and trailers without end: only what
    is of use to the file counts as progress, and the rest is limited.
    """

    def __init__(
        self, pace: Pace, sock: socket.socket, method: str = "GET", begun: bytes = b""
    ) -> None:
        """``method`` is that of the request, which was sent over ``sock``; ``begun`` is what has
        been read of its response.
        """
        self.status = 0
        self.reason = ""
        self.headers: dict[str, str] = {}
        """By name in lower case; what comes several times is one list."""
        self.length: int | None = None
        """Bytes of the body that are still to come; None if that is not stated."""
        self.will_close = True
        """Whether the connection cannot be used for another request."""
        self.is_complete = False
        """Whether nothing of the body is to come."""
        self.arrived = 0
        """Bytes of the body so far, as the server sent them."""
        self._arrival = Arrival(pace)
        if begun:
            self._arrival.add(len(begun), 0.0, clock())
        self._sock = sock
        self._failure: OSError | None = None
        """Of the connection, which ends with it."""
        self._method = method
        self._is_chunked = False
        self._chunk = -1
        """Bytes that are missing of a chunk; -1 before the first one."""
        self._block = _BLOCK
        self._data: bytes | bytearray = begun
        """Bytes that have arrived; those before ``_at`` have been read."""
        self._at = 0

    @property
    def ends_anywhere(self) -> bool:
        """Whether nothing but the end of the connection ends the body, so that it may be cut."""
        return self.length is None and not self._is_chunked

    def begin(self) -> None:
        """Read the head. Raises OSError, HttpError and Retryable."""
        head = self.read_head()
        body = body_of(head, self._method)
        self.status, self.reason, self.headers = head.status, head.reason, head.headers
        self.length, self._is_chunked, self.will_close = body
        self._arrival.begin_body()
        if self.length == 0:
            self._complete()

    def read_head(self) -> Head:
        """Return the head, after all interim ones. Raises what ``begin`` raises."""
        while (head := self._one_head()).is_interim:
            pass
        return head

    def _one_head(self) -> Head:
        data = self._data[self._at :] or self._receive(_BLOCK)
        searched = 0
        while (end := end_of_head(data, searched)) < 0:
            check_begun(data)
            searched = max(0, len(data) - 2)
            more = self._receive(_BLOCK)
            if not more:
                where = "in the head of its answer" if data else "without an answer"
                raise HttpError(f"the server closed the connection {where}")
            # Small pieces are not copied with each that follows.
            data = data if isinstance(data, bytearray) else bytearray(data)
            data += more
        self._data, self._at = data, end
        return read_head(data[:end])

    def read1(self, most: int) -> bytes:
        """Return up to ``most`` bytes of the body, as soon as there are some; nothing at its end,
        or where the connection ends before it. Raises what ``begin`` raises.
        """
        if self.is_complete:
            return b""
        if self._is_chunked:
            if self._chunk <= 0 and not self._next_chunk():
                return b""
            most = min(most, self._chunk)
        elif self.length is not None:
            most = min(most, self.length)
        data = self._taken(most) or self._receive(most)
        size = len(data)
        if self._is_chunked:
            self._chunk -= size
            if not size:
                raise HttpError("the server closed the connection in a chunk of its answer")
        elif not size:
            self.will_close = self.is_complete = True
        elif self.length is not None:
            self.length -= size
            if not self.length:
                self._complete()
        return data

    def _next_chunk(self) -> bool:
        """Read up to the next chunk; return whether there is one. Trailers are passed over."""
        if self._chunk == 0 and self._line().strip(b"\r\n"):
            raise HttpError("a chunk of its answer is longer than it says")
        self._chunk = chunk_size(self._line())
        if self._chunk:
            return True
        for _ in range(MAX_HEADERS + 1):
            line = self._line()
            if not line.strip(b"\r\n"):
                self._complete()
                self.will_close = self.will_close or not line
                return False
        raise HttpError("the trailers of its answer do not end")

    def _line(self) -> bytes:
        """Return the next line around chunks; what there is of it where the connection ends."""
        while (end := self._data.find(b"\n", self._at) + 1) == 0:
            begun = self._data[self._at :]
            more = self._receive(self._block) if len(begun) <= MAX_LINE else b""
            if not more:
                end = len(self._data)
                break
            self._data, self._at = begun + more, 0
        if end - self._at > MAX_LINE:
            raise HttpError("a line between the chunks of its answer is too long")
        return self._taken(end - self._at)

    def _taken(self, most: int) -> bytes:
        """Return up to ``most`` of the bytes that have arrived and were not read yet."""
        begin, self._at = self._at, self._at + most
        data = bytes(self._data[begin : self._at])
        if self._at >= len(self._data):
            self._data, self._at = b"", 0
        return data

    def _complete(self) -> None:
        self.is_complete = True
        if self._at < len(self._data):
            self.will_close = True  # what follows answers nothing

    def _receive(self, most: int) -> bytes:
        arrival = self._arrival
        if arrival.problem:
            raise Retryable(arrival.problem)
        began, data = clock(), b""
        if self._failure is not None:
            raise self._failure  # at once: a silence that was waited for is not waited for again
        try:
            data = self._sock.recv(most)
        except OSError as error:
            self._failure = error
            raise
        finally:
            now = clock()
            arrival.add(len(data), now - began, now)
        if arrival.is_beyond_measure:
            raise Retryable(arrival.problem)
        return data

    def end(self) -> bytes | None:
        """Read the end of a body without a stated length whose last byte should have arrived.

        Return nothing if it ends, a byte if it goes on, and None if it does neither soon: its
        trailers do not matter to the file.
        """
        self._arrival.limit(_MAX_END)
        self._block = _MAX_END
        try:
            return self.read1(1)
        except (OSError, HttpError, Retryable):
            return None

    def used(self, size: int) -> None:
        """Record that ``size`` bytes that were read are bytes of the file."""
        self._arrival.used(size)


def reason_of(error: Exception) -> str:
    """Return what went wrong with a connection, as text for the user."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, HttpError):
        return str(error)
    # Not ssl.SSLError: only https pays for the module.
    if problem := _TLS_PROBLEMS.get(getattr(error, "reason", None) or ""):
        return problem
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(str(error), MAX_SHOWN) or type(error).__name__
