"""Requests for the next files of a lane, sent before the lane needs their responses.

A lane that requests a file only after it has unpacked the one before waits a round trip for each:
at 100 ms, 99 wheels took 7.3 s on two lanes, at 1 ms 2.4 s. So the next files are requested while
the lane is at work or waits for another response, each on a connection of its own. A connection is
advanced as far as it goes, and responses stay in the kernel. If such a request fails, that shows
when its response is needed, and the request is then sent again.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from executor.sources.connection import HttpConnection
from executor.sources.dialing import Address, address_of, connecting
from executor.sources.http1 import HttpError

__all__ = [
    "ALL_REQUESTS",
    "MAX_REQUESTS",
    "NEAR",
    "WINDOW",
    "PendingResponse",
    "Prefetch",
    "Server",
    "Upcoming",
    "requests_of",
]


Server = tuple[str, str]
"""Scheme and authority of a server."""


Upcoming = Callable[[bool], tuple[str, int] | None]
"""Returns URL and size (bytes) of the next file that will be needed, another one at each call; None
if there is none. The argument says whether the other lanes must be left as many files."""


MAX_REQUESTS = 8
"""Requests of one lane at once where memory is short. Browsers open 6 connections to a server."""


ALL_REQUESTS = 48
"""Requests of all lanes at once elsewhere, as many as uv has. From 100 ms away, 99 packages took
1.6 s with these, and 1.9 s with 8 for each of two lanes."""


WINDOW = 512 << 10
"""Bytes that all requested files may have together if they leave the other lanes without a file.
These do not miss them for long."""


NEAR = 8 << 20
"""Bytes that may be left of all requested files when the next one is requested, whatever the size
of that: they take longer than a round trip. The kernel holds 64 KiB of a response that is not read,
however large it is (https://man7.org/linux/man-pages/man7/tcp.7.html, tcp_rmem), and they may be
charged: 512 KiB for all requests of a lane."""


_FAILURES = (OSError, ValueError, HttpError)


def requests_of(lanes: int, *, is_roomy: bool) -> int:
    """Return how many requests each of the ``lanes`` may have at once; ``is_roomy``: memory is not
    short.
    """
    return max(MAX_REQUESTS, ALL_REQUESTS // lanes) if is_roomy else MAX_REQUESTS


class PendingResponse:
    """One request whose response is not needed yet; owned by ``Prefetch`` until it is taken."""

    def __init__(
        self,
        connection: HttpConnection,
        address: Address,
        target: str,
        headers: Mapping[str, str],
    ) -> None:
        """``connection`` is open, or is opened to ``address``, so that the name of the host is not
        looked up again. Raises OSError and HttpError.
        """
        self.connection = connection
        self._making = self._make(address, target, headers)
        self._awaited = next(self._making, None)
        self.advance()

    def _make(self, address: Address, target: str, headers: Mapping[str, str]) -> Iterator[int]:
        """Connect and send the request; yield an event of poll(2) whenever it has to be awaited."""
        connection = self.connection
        if connection.sock is None:
            connection.sock = socket.socket(address.family)
            connection.sock.setblocking(False)
            yield from connecting(connection.sock, address)
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield from connection.secure()
        connection.sock.setblocking(True)
        connection.request("GET", target, headers)

    @property
    def awaited(self) -> int | None:
        """Return the event of poll(2) that the request waits for; None when it has been sent."""
        return self._awaited

    def advance(self) -> None:
        """Go on as far as possible without waiting. Raises OSError and HttpError."""
        while self._awaited is not None and _comes(self.connection.sock, self._awaited):
            self._awaited = next(self._making, None)


class Prefetch:
    """The pending requests of one lane, and its spare connections; owned by the client."""

    def __init__(self, requests: int) -> None:
        """``requests`` is how many there may be at once."""
        self.upcoming: Upcoming | None = None
        self._requests = requests
        self.addresses: dict[Server, Address] = {}
        """Of the servers that the client is connected to, or about to be."""
        self._begun: dict[str, tuple[PendingResponse, int]] = {}
        self._spare: dict[Server, list[HttpConnection]] = {}

    def fill(self, left: int, begin: Callable[[str], PendingResponse | None]) -> None:
        """Advance the pending requests, and ``begin`` more if few bytes are still to come: ``left``
        bytes of the file that is being read, and the sizes of the pending ones.
        """
        self._advance()
        waiting = left + sum(size for _, size in self._begun.values())
        while self.upcoming and len(self._begun) < self._requests and waiting < NEAR:
            leaves_some = bool(self._begun) and waiting >= WINDOW
            if (following := self.upcoming(leaves_some)) is None:
                return
            url, size = following
            if (begun := begin(url)) is None:
                return
            self._begun[url] = begun, size
            waiting += size

    def fill_from(
        self,
        server: Server,
        left: int,
        begin: Callable[[str], PendingResponse | None],
        address: Address,
    ) -> None:
        """Do what ``fill`` does, from a ``server`` that the client begins to connect to."""
        self.addresses[server] = address
        self.fill(left, begin)

    def connected(self, server: Server, connection: HttpConnection) -> None:
        """Note where the ``connection`` of the client leads to, unless that is known."""
        if server not in self.addresses and connection.sock is not None:
            with suppress(OSError):  # the server has closed it
                self.addresses[server] = address_of(connection.sock)

    def _advance(self) -> None:
        for url, (pending, _) in list(self._begun.items()):
            try:
                pending.advance()
            except _FAILURES:
                pending.connection.close()
                del self._begun[url]

    def finish(self, pending: PendingResponse, seconds: float) -> None:
        """Send the rest of a request that was taken, and wait for its response.

        Raises OSError (TimeoutError after ``seconds`` without an event) and HttpError.
        """
        while pending.awaited is not None:
            self._wait(pending.connection.sock, pending.awaited, seconds)
            pending.advance()
        self.wait(pending.connection, seconds)

    def wait(self, connection: HttpConnection, seconds: float) -> None:
        """Wait for the response of ``connection`` as long as pending requests are to be sent.

        Raises TimeoutError after ``seconds``.
        """
        if connection.sock is not None and self._awaited():
            self._wait(connection.sock, select.POLLIN, seconds)

    def _awaited(self) -> list[tuple[socket.socket, int]]:
        return [
            (pending.connection.sock, pending.awaited)
            for pending, _ in self._begun.values()
            if pending.awaited is not None
        ]

    def _wait(self, sock: socket.socket, event: int, seconds: float) -> None:
        """Wait for ``event`` of ``sock``, and advance the pending requests meanwhile."""
        end = time.monotonic() + seconds
        while True:
            poll = select.poll()
            for other, its_event in [(sock, event), *self._awaited()]:
                poll.register(other, its_event)
            ready = {number for number, _ in poll.poll(max(0.0, end - time.monotonic()) * 1000)}
            if sock.fileno() in ready:
                return
            if not ready:
                raise TimeoutError
            self._advance()

    def forget(self, server: Server) -> None:
        """Forget the address of ``server``, which does not answer there, and end all requests: they
        are sent when they are needed.
        """
        self.addresses.pop(server, None)
        self._end_requests()

    def _end_requests(self) -> None:
        while self._begun:
            self._begun.popitem()[1][0].connection.close()

    def take(self, url: str) -> PendingResponse | None:
        """Return the pending request for ``url``, which is needed now; None if there is not one."""
        return self._begun.pop(url, (None, 0))[0]

    def keep(self, server: Server, connection: HttpConnection) -> None:
        """Keep an open ``connection`` whose response has been read, for a later request."""
        self._spare.setdefault(server, []).append(connection)

    def spare(self, server: Server) -> HttpConnection | None:
        """Return a connection that was kept and that the server has not closed; None if there is
        not one.
        """
        kept = self._spare.get(server, [])
        while kept:
            connection = kept.pop()
            if connection.sock is not None and not _comes(connection.sock, select.POLLIN):
                return connection
            connection.close()
        return None

    def close(self) -> None:
        """Close all connections."""
        self._end_requests()
        while self._spare:
            for connection in self._spare.popitem()[1]:
                connection.close()


def _comes(sock: socket.socket, event: int) -> bool:
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(0))
