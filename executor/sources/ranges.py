"""The rest of a large file in ranges, over several connections to a server that is slow on each.

Many servers and networks limit what one connection brings, and what its window holds limits it on a
long way. The ranges are short and follow each other, so that the file is still read forwards: those
after the first one wait here until it is read, in ``_RANGE`` bytes of memory each. Source: RFC
9110, section 14.
"""

from __future__ import annotations

import select
from collections import deque
from collections.abc import Callable, Iterator

from executor.sources.connection import HttpConnection, hold_to
from executor.sources.http1 import PARTIAL, HttpError, range_in
from executor.sources.pending import PendingResponse, wait_for_any
from executor.sources.response import CHUNK, PacedResponse, reason_of
from executor.sources.retries import Pace, Retryable, clock
from schemas.content_coding import compressions

__all__ = ["Ask", "Ranges", "worth_beginning"]


Ask = Callable[[int, int], PendingResponse | None]
"""Requests the bytes from the first to before the second position; None if that fails at once."""


_CONNECTIONS = 6
"""Connections for one file, as many as browsers open to a server; each lane has a file."""


_RANGE = 1 << 20
"""Bytes of a range: at 10 MB/s, it takes five times as long as a round trip of 20 ms. Six of these
bring 69 MB in 2.8 s, four of 2 MiB in 3.3 s, and take 5 MiB less memory."""


_LOOKED, _LOOKED_AGAIN = 1.0, 0.25
"""Seconds after which the speed of a connection is known: it is slow in its beginning. The second
is for a server that was slow before."""


_OPENING = 0.5
"""Seconds to open further connections in: over TLS that takes three round trips."""


_WAITING = 0.6
"""The part of the time that is spent on waiting from which on the server is what is slow."""


_TO_COME = 3.0
"""Seconds that the rest must take at this speed to be worth further connections."""


_FAILURES = (OSError, ValueError, HttpError, Retryable)


def worth_beginning(
    arrived: int, left: int, seconds: float, waited: float, *, was_slow: bool = False
) -> int | None:
    """Return after how many more bytes ranges of the rest of a file should begin; None if further
    connections would not bring it sooner.

    ``arrived`` bytes have come over one in ``seconds``, of which ``waited`` were spent on waiting;
    ``left`` bytes are to come. ``was_slow``: the server was slow with another file.
    """
    looked = _LOOKED_AGAIN if was_slow else _LOOKED
    if seconds < looked or waited < _WAITING * seconds or left * seconds < _TO_COME * arrived:
        return None
    before = max(_RANGE, int(_OPENING * arrived / seconds))
    return before if left >= before + _CONNECTIONS * _RANGE else None


class _Range:
    """Bytes of a file that were requested over one connection, as far as they have come."""

    def __init__(self, pending: PendingResponse, start: int, stop: int) -> None:
        """They go from ``start`` to before ``stop``."""
        self.pending = pending
        self.start = start
        self.left = stop - start
        """Bytes that have not come."""
        self.held = bytearray()
        """Those that have come and were not read."""
        self.response: PacedResponse | None = None

    @property
    def connection(self) -> HttpConnection:
        return self.pending.connection

    @property
    def event(self) -> int:
        """The event of poll(2) that it waits for."""
        return self.pending.awaited or select.POLLIN

    def advance(self, pace: Pace, size: int, etag: str | None) -> int:
        """Go on, as poll(2) says that it can; return how many bytes have come. Raises _FAILURES.

        ``size`` and ``etag`` are those of the whole file.
        """
        if self.pending.awaited is not None:
            self.pending.advance()
            return 0
        if self.response is None:
            if not self.connection.has_answer():
                return 0
            hold_to(pace, self.connection)
            self.response = self.connection.getresponse()
            self._check(self.response, size, etag)
        data = self.response.read1(min(self.left, CHUNK))
        if not data:
            raise HttpError("the connection ended in a range of the file")
        self.response.used(len(data))
        self.held += data
        self.left -= len(data)
        return len(data)

    def _check(self, response: PacedResponse, size: int, etag: str | None) -> None:
        """Raise HttpError if a response is not of this range of the same file."""
        first, stop, whole = range_in(response.headers) or (0, 0, None)
        stated = response.headers.get("etag")
        if (
            response.status != PARTIAL
            or (first, stop) != (self.start, self.start + self.left)
            or whole not in {None, size}
            or (stated and etag and stated != etag)
            or compressions(response.headers.get("content-encoding", ""))
        ):
            raise HttpError("the server does not send the range that was requested")


class Ranges:
    """The ranges of one file; its download owns them."""

    def __init__(
        self, ask: Ask, keep: Callable[[HttpConnection], None], pace: Pace, response: PacedResponse
    ) -> None:
        """``response`` is what brings the file. The ranges must be of the same version, are held to
        the same ``pace``, and counted as its bytes. ``keep`` gets connections for later requests.
        """
        self._ask = ask
        self._keep = keep
        self._pace = pace
        self._response = response
        self._ranges: deque[_Range] = deque()
        self._next = self._size = 0
        self.have_come: bool | None = None
        """Whether ranges came that were requested; None if none were."""

    def divide(
        self,
        chunks: Iterator[bytes],
        position: int,
        size: int,
        leave: Callable[[], None],
        *,
        was_slow: bool = False,
    ) -> Iterator[bytes]:
        """Yield the bytes of a file from ``position`` to its end at ``size``.

        ``chunks`` are these bytes, and bring all of them unless their connection is slow; ``leave``
        is called when they are not needed any more. ``was_slow``: the server was slow with another
        file. Raises what ``chunks`` raise, and Retryable.
        """
        began, waited = clock(), self._pace.waited
        at, start = position, size
        try:
            for chunk in chunks:
                at += len(chunk)
                if self._ranges and not (self._advance() and (at < start or self._have_begun)):
                    self._give_up()
                    start = size
                elif not self._ranges and self.have_come is None:
                    seconds, waiting = clock() - began, self._pace.waited - waited
                    before = worth_beginning(
                        at - position, size - at, seconds, waiting, was_slow=was_slow
                    )
                    if before is not None:
                        start = self._begin(at + before, size)
                if at >= start and self._ranges:
                    yield chunk[: len(chunk) - (at - start)]
                    break
                yield chunk
            else:
                return
            leave()
            yield from self._rest()
            self.have_come = True
        except Retryable:
            self.have_come = False if self._ranges else self.have_come
            raise
        finally:
            self._close()

    def _begin(self, start: int, size: int) -> int:
        """Request the first ranges from ``start`` on, and return that; ``size`` if they cannot be
        had.
        """
        self._next, self._size = start, size
        while len(self._ranges) < _CONNECTIONS - 1:
            if not self._request():
                self._give_up()
                return size
        return start

    def _give_up(self) -> None:
        self.have_come = False
        self._close()

    def _advance(self) -> bool:
        """Take what has come, without waiting; return false if a range cannot be had."""
        try:
            self._take(0.0)
        except _FAILURES:
            return False
        return True

    @property
    def _have_begun(self) -> bool:
        """Whether the server sends what was requested."""
        return all(one.response is not None for one in self._ranges)

    def _rest(self) -> Iterator[bytes]:
        """Yield the bytes from the first range on. Raises Retryable."""
        self._request()
        while self._ranges:
            first = self._ranges[0]
            self._receive(first)
            yield bytes(first.held[:CHUNK])
            del first.held[:CHUNK]
            if not first.left and not first.held:
                self._end(self._ranges.popleft())

    def _close(self) -> None:
        while self._ranges:
            self._ranges.pop().connection.close()

    def _request(self) -> bool:
        """Request the next range; return whether there is one, and it could be requested."""
        start, stop = self._next, min(self._next + _RANGE, self._size)
        pending = self._ask(start, stop) if start < stop else None
        if pending is None:
            return False
        self._ranges.append(_Range(pending, start, stop))
        self._next = stop
        return True

    def _receive(self, first: _Range) -> None:
        """Wait until the next chunk of the first range is there. Raises Retryable."""
        try:
            self._take(0.0)
            while first.left and len(first.held) < CHUNK:
                self._take(self._pace.idle)
        except Retryable:
            raise
        except _FAILURES as error:
            raise Retryable(reason_of(error), 0.0) from None

    def _take(self, seconds: float) -> None:
        """Take what has come, or comes first within so many seconds. Raises _FAILURES."""
        waiting = {one.connection.sock.fileno(): one for one in self._ranges if one.left}
        began = clock()
        ready = wait_for_any(
            [(one.connection.sock, one.event) for one in waiting.values()], seconds
        )
        now = clock()
        self._pace.add(0, now - began, now)
        if self._pace.problem:
            raise Retryable(self._pace.problem)
        if seconds and not ready:
            raise TimeoutError
        etag = self._response.headers.get("etag")
        for number in ready:
            self._response.arrived += waiting[number].advance(self._pace, self._size, etag)

    def _end(self, done: _Range) -> None:
        """Let go of a range that was read, and request another one."""
        assert done.response is not None
        if done.response.is_complete and not done.response.will_close:
            self._keep(done.connection)
        else:
            done.connection.close()
        self._request()
