"""Send requests to indexes: with logins, through redirects, and again when that may help."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from threading import BoundedSemaphore
from typing import TypeVar

from executor import (
    MAX_REQUESTED_SECONDS,
    TRANSIENT,
    Keychain,
    Pace,
    Recorder,
    Retryable,
    led_to,
)
from planner.index.connections import Connections
from planner.index.errors import ASK_LATER, IndexAnswer, IndexUnreachable
from planner.index.request import Request, split_url
from planner.index.response import Response, Unavailable, following
from planner.index.upload import Upload
from schemas.urls import redacted
from schemas.version import USER_AGENT

__all__ = ["ATTEMPTS", "CONNECTIONS", "Requester"]


T = TypeVar("T")
"""What is made of a response."""


CONNECTIONS = 16
"""Requests at once. Planning waits for round trips, not for bytes; indexes begin to answer 429 if
one client sends many more at once."""


TIMEOUT_SECONDS = 30.0


CONNECT_TIMEOUT_SECONDS = 10.0


ATTEMPTS = 5
"""Attempts of one request; with the pauses between them a proxy has time to restart."""


LOST_SECONDS = 45.0
"""Seconds of waiting that brought nothing, over all attempts, after which there is no other one. An
index may take half a minute to make a page."""


IDLE_SECONDS = 15.0
"""Of a ``Pace``: its rate is measured over 20 seconds of waiting."""


FIRST_PAUSE_SECONDS = 0.5
"""Each of the next ones is twice as long, and somewhat less at random: requests that were refused
together do not come back together."""


MAX_REDIRECTS = 10


class Requester:
    """Sends requests over one pool of connections. Many threads may use it."""

    def __init__(
        self,
        keychain: Keychain,
        *,
        trusted_hosts: Iterable[str] = (),
        pause: Callable[[float], None] = time.sleep,
        recorder: Recorder | None = None,
    ) -> None:
        self.sent = 0
        """How many requests were sent, roughly: threads do not wait for each other to count."""
        self._keychain = keychain
        self._pause = pause
        self._recorder = recorder or Recorder()
        self._slots = BoundedSemaphore(CONNECTIONS)
        self._connections = Connections(
            trusted_hosts,
            connect_seconds=CONNECT_TIMEOUT_SECONDS,
            idle_seconds=TIMEOUT_SECONDS,
        )

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        read: Callable[[Response], T],
        *,
        seconds: float,
        content: Upload | None = None,
        retried: frozenset[int] = TRANSIENT,
    ) -> T:
        """Return what ``read`` makes of the response, after all redirects; try again if a later
        attempt may succeed: its status is one of those ``retried``, or the connection fails. All
        attempts take at most ``seconds``.

        Raises IndexUnreachable, IndexAnswer, and what ``read`` raises.
        """
        pause, lost, requested = FIRST_PAUSE_SECONDS, 0.0, 0.0
        deadline = time.monotonic() + seconds
        for attempt in range(1, ATTEMPTS + 1):
            wait = random.uniform(pause / 2, pause)  # noqa: S311  # not a secret
            self.sent += 1
            pace = Pace(deadline, IDLE_SECONDS, seconds)
            try:
                with self._response(method, url, headers, pace, content) as response:
                    if response.status in retried:
                        raise Unavailable(response)
                    return read(response)
            except Retryable as error:
                problem, wait = str(error), error.pause or wait
                requested += error.pause or 0.0
            lost += pace.lost
            is_given_up = lost > LOST_SECONDS or requested > MAX_REQUESTED_SECONDS
            if attempt == ATTEMPTS or is_given_up or time.monotonic() > deadline:
                break
            self._recorder.note("pausing", url=redacted(url), problem=problem, seconds=wait)
            self._pause(wait)
            pause *= 2
        attempts = f"{attempt} attempt{'s' * (attempt > 1)}"
        unreachable = IndexUnreachable(redacted(url), f"{problem} ({attempts})")
        if wait > MAX_REQUESTED_SECONDS:
            unreachable.hint = ASK_LATER
        raise unreachable

    @contextmanager
    def _response(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        pace: Pace,
        content: Upload | None = None,
    ) -> Iterator[Response]:
        """Open the response after all redirects. Each hop gets the login for its own origin."""
        there = url
        for _ in range(MAX_REDIRECTS + 1):
            began = time.monotonic()
            request = Request(method, split_url(there), self._headers(there, headers), content)
            response: Response | None = None
            is_heard = self._recorder.is_heard
            if is_heard:
                self._recorder.note("requesting", url=redacted(there))
            try:
                with self._slots, closing(self._connections.send(request, pace)) as exchange:
                    response = exchange.response
                    if response.location is None:
                        yield response
                        return
            except Retryable as error:
                error.args = (led_to(url, there, str(error)),)
                raise
            finally:
                if is_heard:
                    self._recorder.event(
                        "request",
                        method=method,
                        url=redacted(there),
                        status=response and response.status,
                        bytes=response.received if response else 0,
                        seconds=round(time.monotonic() - began, 4),
                    )
            there = following(url, response)
        raise IndexAnswer(redacted(url), f"more than {MAX_REDIRECTS} redirects")

    def _headers(self, url: str, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of a request for ``url``, with the login for its origin."""
        login = self._keychain.login(url)
        return {
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
            **headers,
            **({"Authorization": login.authorization} if login else {}),
        }
