"""How long to wait for a server, and when to give it up.

An attempt ends when the server is silent, or when its bytes come too slowly. If the next attempt
brings bytes, the connection had hung, and the next silence is ended sooner: twenty files that stall
once each would take minutes. The time that is lost in this way is counted over all files of a
server, so that a server which wastes more time than it serves is given up within a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from schemas.numbers import small_int

__all__ = [
    "MAX_REQUESTED_SECONDS",
    "Pace",
    "Retries",
    "Retryable",
    "Timeouts",
    "requested_pause",
]


IDLE_SECONDS = 15.0
"""Seconds without a byte after which a connection is dead; pip waits as long, uv twice."""


_LEAST_IDLE_SECONDS = 1.0
"""Seconds of silence that every server is granted, however often new connections have helped."""


_SHRINKS = 4
"""Divisor of the silence that a server is granted, each time a new connection has helped."""


_MIN_RATE = 1000
"""Bytes per second that a server must send while the client waits. A mobile network of 2005 brought
5,000; a server that sends fewer keeps the client busy rather than serves it."""


_PACE_SECONDS = 20.0
"""Seconds of waiting between two checks of the rate, so that slow starts and short stalls are
forgiven. They shrink in proportion to the silence that the server is granted."""


_TOTAL_SECONDS = 4 * 3600.0
"""For one file; the largest wheel of 2026 (3 GB) takes an hour at 1 MB/s."""


_MAX_FRUITLESS = 5
"""Attempts in a row that bring no byte, before giving up."""


_PATIENCE_SECONDS = 40.0
"""Seconds of waiting in a row without a byte, before giving up; pauses that a server requests are
added. With the last attempt it is less than a minute."""


_LOSS_SECONDS = 45.0
"""Lost seconds that a server is always forgiven, over all its files. With one more attempt it is a
minute."""


_BACKOFF_SECONDS = 0.25
"""Each pause in a row is three times as long. The four of them take seven seconds: a server, or the
proxy in front of it, has restarted by then. pip pauses for eight, uv for five."""


_MAX_BACKOFF_SECONDS = 8.0


_MAX_DATE = 40
"""Characters of a moment; that of RFC 9110 has 29."""


MAX_REQUESTED_SECONDS = 240.0
"""Seconds that a server may request (Retry-After), over all attempts for one file; one that
requests more is as good as down for a CI job."""


clock: Callable[[], float] = time.monotonic


def requested_pause(retry_after: str) -> float | None:
    """Return the seconds from now on of the header Retry-After, a number or a moment (RFC 9110,
    10.2.3); None if it is neither, or that moment has passed.
    """
    seconds: float | None = small_int(retry_after)
    if seconds is not None or not retry_after or len(retry_after) > _MAX_DATE:
        return seconds
    from email.utils import mktime_tz, parsedate_tz  # noqa: PLC0415  # rare, and takes 10 ms

    try:
        moment = parsedate_tz(retry_after)
        left = mktime_tz(moment) - time.time() if moment else 0.0
    except (ValueError, OverflowError):
        return None
    return left if left > 0 else None


class Retryable(Exception):  # it never leaves this room
    """An attempt failed; another may succeed."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause
        """Seconds before the next attempt, if the server requests them."""


class Pace:
    """The speed of one attempt, with its heads and its body; owned by ``Retries``. Only the time
    that the client waits counts.
    """

    def __init__(self, deadline: float, idle: float, total: float = _TOTAL_SECONDS) -> None:
        """``deadline`` is the time of ``time.monotonic`` by which the file must be complete, after
        ``total`` seconds; ``idle`` the seconds of silence that end the attempt.
        """
        self.idle = idle
        self.waited = 0.0
        """Seconds of waiting so far."""
        self.longest = 0.0
        """Seconds of the longest silence that ended with bytes."""
        self.silence = 0.0
        """Seconds since the last byte."""
        self.problem = ""
        """Why the attempt must end once the bytes that have arrived are used; empty if it need
        not."""
        self._window = _PACE_SECONDS * idle / IDLE_SECONDS
        self._deadline = deadline
        self._total = total
        self._bytes = 0
        self._checked_at = (0.0, 0)

    @property
    def is_slow(self) -> bool:
        """Whether the attempt as a whole was too slow to count as progress."""
        return self._bytes < _MIN_RATE * self.waited

    @property
    def lost(self) -> float:
        """Seconds of waiting that brought nothing."""
        return self.waited if self.is_slow else self.silence

    def add(self, size: int, waited: float, now: float) -> None:
        """Record that ``size`` bytes arrived after ``waited`` seconds, at ``now``."""
        self.waited += waited
        self.silence += waited
        if size:
            self._bytes += size
            self.longest = max(self.longest, self.silence)
            self.silence = 0.0
        waited_then, bytes_then = self._checked_at
        waiting = self.waited - waited_then
        if waiting >= self._window:
            if self._bytes - bytes_then < _MIN_RATE * waiting:
                self.problem = f"it sends fewer than {_MIN_RATE} bytes a second"
            self._checked_at = (self.waited, self._bytes)
        if now > self._deadline:
            whole = f"{self._total / 3600:.0f} hours"
            if self._total < 3600:
                whole = f"{self._total / 60:.0f} minutes"
            self.problem = f"it has taken more than {whole}"


class Timeouts:
    """The patience with one server, over all its files; owned by the client."""

    def __init__(self) -> None:
        self._began = clock()
        self._idle = IDLE_SECONDS
        self._longest = 0.0
        self._lost = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the server has lost more time than it is forgiven, and more than half of the time
        that it has had.
        """
        return self._lost > max(_LOSS_SECONDS, (clock() - self._began) / 2)

    def idle(self, fruitless: int) -> float:
        """Return the seconds of silence that end an attempt, after ``fruitless`` attempts in a row
        that brought nothing.
        """
        return min(self._idle * 2.0**fruitless, IDLE_SECONDS)

    def lose(self, seconds: float) -> None:
        """Record ``seconds`` of waiting that brought nothing."""
        self._lost += seconds

    def learn(self, pace: Pace, *, has_helped: bool) -> None:
        """Adapt to an attempt that brought bytes; ``has_helped`` if the one before it had hung."""
        self._longest = max(self._longest, pace.longest)
        if has_helped:
            self._idle /= _SHRINKS
        least = max(_LEAST_IDLE_SECONDS, 2 * self._longest)
        self._idle = min(max(self._idle, least), IDLE_SECONDS)


class Retries:
    """The attempts to fetch one file from a server; owned by its download."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.in_a_row = 0
        """How many attempts have failed since the last bytes, with the attempt that brought
        them."""
        self._timeouts = timeouts
        self._deadline = clock() + _TOTAL_SECONDS
        self._fruitless = 0
        self._waited = 0.0
        self._requested = 0.0
        self.has_hung = False
        """Whether the last attempt ended because the server was silent or slow."""
        self._pace = Pace(self._deadline, IDLE_SECONDS)

    def begin(self) -> Pace:
        """Begin an attempt and return the pace to hold it to."""
        self._pace = Pace(self._deadline, self._timeouts.idle(self._fruitless))
        return self._pace

    def succeed(self) -> None:
        """Record that the attempt brought the rest of the file."""
        self._timeouts.learn(self._pace, has_helped=self.has_hung)

    def fail(self, *, has_brought: bool, requested: float | None = None) -> bool:
        """Record that the attempt failed, and return whether to begin another.

        ``has_brought`` says whether it brought bytes, and ``requested`` how many seconds the server
        requests to wait.
        """
        pace, timeouts = self._pace, self._timeouts
        if has_brought:
            timeouts.learn(pace, has_helped=self.has_hung)
        self.has_hung = pace.lost > pace.idle / 2
        timeouts.lose(pace.lost)
        if has_brought and not pace.is_slow:
            self.in_a_row = self._fruitless = 0
            self._waited = 0.0
        else:
            self._fruitless += 1
            self._waited += pace.waited
        self.in_a_row += 1
        self._requested += requested or 0.0
        return (
            self.in_a_row < _MAX_FRUITLESS
            and self._waited <= _PATIENCE_SECONDS
            and self._requested <= MAX_REQUESTED_SECONDS
            and not timeouts.is_over
        )

    def pause(self, requested: float | None) -> float:
        """Return the seconds before the next attempt: as the server requested, or at random, so
        that many jobs do not come back together.
        """
        if requested is not None:
            return requested
        longest: float = min(_BACKOFF_SECONDS * 3.0 ** (self.in_a_row - 1), _MAX_BACKOFF_SECONDS)
        from random import uniform  # noqa: PLC0415  # only a failure pays for it

        seconds = uniform(longest / 2, longest)  # noqa: S311  # not a secret
        self._timeouts.lose(seconds)
        return seconds
