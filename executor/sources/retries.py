"""Patience: how long servers are waited for, and when one is given up.

Silence ends an attempt, and so do bytes that come too slowly. Where the next attempt brings bytes,
it was the connection that hung, and the next silence is given up sooner: twenty files that stall
once each would take minutes. What is lost in this way is counted over all files of a server, so
that one which wastes more of our time than it serves is given up within a minute.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

__all__ = ["Pace", "Retries", "Retryable", "Timeouts"]


IDLE_SECONDS = 15.0
"""Without a byte for so long, a connection is dead; pip waits as long, uv twice."""


_LEAST_IDLE_SECONDS = 1.0
"""Of silence, from a server where new connections have helped again and again."""


_SHRINKS = 4
"""By which the silence that is waited for is divided where a new connection has helped."""


_MIN_RATE = 1000
"""Bytes per second that a server must bring while we wait for it. One that brings fewer (a mobile
network of 2005 brought 5,000) keeps us busy rather than serves us."""


_PACE_SECONDS = 20.0
"""Seconds of waiting between two looks at the rate: slow starts and short stalls are forgiven.
They are fewer in the measure in which less silence is waited for."""


_TOTAL_SECONDS = 4 * 3600.0
"""For one file; the largest wheel of 2026 (3 GB) takes an hour at 1 MB/s."""


_MAX_FRUITLESS = 5
"""Attempts in a row that bring no byte, before giving up."""


_PATIENCE_SECONDS = 40.0
"""Waiting in a row that brings no byte, before giving up; pauses that a server asks for come on
top. With the last attempt it is less than a minute."""


_LOSS_SECONDS = 45.0
"""Waiting in vain for one server, over all files, that is forgiven whatever it brings. With one
more attempt it is a minute."""


_BACKOFF_SECONDS = 0.25


_MAX_BACKOFF_SECONDS = 8.0


_MAX_RETRY_AFTER_SECONDS = 60.0
"""A server that asks for a longer pause (Retry-After) is as good as down for a CI job."""


clock: Callable[[], float] = time.monotonic


class Retryable(Exception):  # it never leaves this folder
    """An attempt failed; another may not."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause
        """Seconds before the next attempt, where the server asks for them."""


class Pace:
    """How fast the bytes of one attempt come, heads and all. Only time that we wait counts."""

    def __init__(self, deadline: float, idle: float) -> None:
        """``deadline`` is by when the file must be there, by ``time.monotonic``; ``idle`` the
        seconds of silence that are waited for.
        """
        self.idle = idle
        self.waited = 0.0
        """Seconds in all."""
        self.longest = 0.0
        """Seconds of silence that ended with bytes."""
        self.silence = 0.0
        """Seconds since the last byte."""
        self.problem = ""
        """Why the attempt is to end, as soon as what has come is used."""
        self._window = _PACE_SECONDS * idle / IDLE_SECONDS
        self._deadline = deadline
        self._bytes = 0
        self._looked_at = (0.0, 0)

    @property
    def is_slow(self) -> bool:
        """Whether the attempt as a whole was too slow to be called progress."""
        return self._bytes < _MIN_RATE * self.waited

    @property
    def lost(self) -> float:
        """Seconds that were waited in vain."""
        return self.waited if self.is_slow else self.silence

    def add(self, size: int, waited: float, now: float) -> None:
        """``size`` bytes came after ``waited`` seconds, at ``now``."""
        self.waited += waited
        self.silence += waited
        if size:
            self._bytes += size
            self.longest = max(self.longest, self.silence)
            self.silence = 0.0
        waited_then, bytes_then = self._looked_at
        waiting = self.waited - waited_then
        if waiting >= self._window:
            if self._bytes - bytes_then < _MIN_RATE * waiting:
                self.problem = f"it sends fewer than {_MIN_RATE} bytes a second"
            self._looked_at = (self.waited, self._bytes)
        if now > self._deadline:
            self.problem = f"it has taken more than {_TOTAL_SECONDS / 3600:.0f} hours"


class Timeouts:
    """With one server, over all its files."""

    def __init__(self) -> None:
        self._began = clock()
        self._idle = IDLE_SECONDS
        self._longest = 0.0
        self._lost = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has lost us more time than is forgiven, and most of all that it had."""
        return self._lost > max(_LOSS_SECONDS, (clock() - self._began) / 2)

    def idle(self, fruitless: int) -> float:
        """Seconds of silence to wait for, after so many attempts in a row that brought nothing."""
        return min(self._idle * 2.0**fruitless, IDLE_SECONDS)

    def lose(self, seconds: float) -> None:
        """They were waited in vain."""
        self._lost += seconds

    def learn(self, pace: Pace, *, has_helped: bool) -> None:
        """An attempt has brought bytes; ``has_helped`` if the one before it had hung."""
        self._longest = max(self._longest, pace.longest)
        if has_helped:
            self._idle /= _SHRINKS
        least = max(_LEAST_IDLE_SECONDS, 2 * self._longest)
        self._idle = min(max(self._idle, least), IDLE_SECONDS)


class Retries:
    """To get one file from a server."""

    def __init__(self, patience: Timeouts) -> None:
        self.in_a_row = 0
        """How many have failed since bytes came, and with the one that brought them."""
        self._patience = patience
        self._deadline = clock() + _TOTAL_SECONDS
        self._fruitless = 0
        self._waited = 0.0
        self._has_hung = False
        self._pace = Pace(self._deadline, IDLE_SECONDS)

    def begin(self) -> Pace:
        """The pace to hold the next one to."""
        self._pace = Pace(self._deadline, self._patience.idle(self._fruitless))
        return self._pace

    def succeed(self) -> None:
        """The last one has brought the rest of the file."""
        self._patience.learn(self._pace, has_helped=self._has_hung)

    def fail(self, *, has_brought: bool) -> bool:
        """The last one has failed, and has brought bytes or not; whether to begin another."""
        pace, patience = self._pace, self._patience
        if has_brought:
            patience.learn(pace, has_helped=self._has_hung)
        self._has_hung = pace.lost > pace.idle / 2
        patience.lose(pace.lost)
        if has_brought and not pace.is_slow:
            self.in_a_row = self._fruitless = 0
            self._waited = 0.0
        else:
            self._fruitless += 1
            self._waited += pace.waited
        self.in_a_row += 1
        return (
            self.in_a_row < _MAX_FRUITLESS
            and self._waited <= _PATIENCE_SECONDS
            and not patience.is_over
        )

    def pause(self, asked: float | None) -> float:
        """Seconds before the next one; spread, so that many jobs do not come back together."""
        if asked is not None:
            return min(asked, _MAX_RETRY_AFTER_SECONDS)
        longest: float = min(_BACKOFF_SECONDS * 2.0 ** (self.in_a_row - 1), _MAX_BACKOFF_SECONDS)
        seconds = random.uniform(longest / 2, longest)  # noqa: S311  # not a secret
        self._patience.lose(seconds)
        return seconds
