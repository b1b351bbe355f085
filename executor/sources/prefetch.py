"""Requests for the next files of a lane, sent before the lane needs their responses.

A lane that requests a file only after it has unpacked the one before waits a round trip for each:
at 100 ms, 99 wheels took 7.3 s on two lanes, at 1 ms 2.4 s. So the next files are requested while
the lane is at work or waits for another response, each on a connection of its own. A connection is
advanced as far as it goes, and responses stay in the kernel. If such a request fails, that shows
when its response is needed, and the request is then sent again.

While a large file comes, connections are opened for those after it, which are small and many: that
takes one round trip, and another one for TLS.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import chain

from executor.sources.connection import HttpConnection
from executor.sources.dialing import Address, address_of
from executor.sources.pending import FAILURES, PendingResponse, advanced, comes, wait_for_any

__all__ = [
    "ALL_REQUESTS",
    "MAX_REQUESTS",
    "NEAR",
    "WINDOW",
    "Coming",
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


Coming = Callable[[str], int]
"""Returns how many files of a server (``https://host``) will still be needed."""


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


_OTHER_FILES = 48
"""Files that a lane may have open in addition to its requests: the folders that lead to the file
that it writes, one for each level, and ten of its own."""


def requests_of(lanes: int, *, is_roomy: bool) -> int:
    """Return how many requests each of the ``lanes`` may have at once; ``is_roomy``: memory is not
    short. They leave the files that an installation must open.
    """
    most = max(MAX_REQUESTS, ALL_REQUESTS // lanes) if is_roomy else MAX_REQUESTS
    limit = os.sysconf("SC_OPEN_MAX")
    return most if limit < 0 else max(0, min(most, limit - _OTHER_FILES))


class Prefetch:
    """The pending requests of one lane, and its spare connections; owned by the client."""

    def __init__(self, requests: int) -> None:
        """``requests`` is how many there may be at once."""
        self.upcoming: Upcoming | None = None
        self.coming: Coming | None = None
        self._requests = requests
        self.addresses: dict[Server, Address] = {}
        """Of the servers that the client is connected to, or about to be."""
        self._begun: dict[str, tuple[PendingResponse, int]] = {}
        self._spare: dict[Server, list[HttpConnection]] = {}
        self._early: dict[Server, list[PendingResponse]] = {}
        self.is_alone = False
        """Whether no connection may be held that is not in use."""

    def fill(self, left: int, begin: Callable[[str], PendingResponse | None]) -> None:
        """Advance the pending requests, and ``begin`` more if few bytes are still to come: ``left``
        bytes of the file that is being read, and the sizes of the pending ones.
        """
        self._advance()
        waiting = left + sum(size for _, size in self._begun.values())
        while self.upcoming and len(self._begun) < self._requests and waiting < NEAR:
            leaves_some = bool(self._begun) and waiting >= WINDOW
            if (following := self.upcoming(leaves_some)) is None:
                if not leaves_some:
                    self._end_early()
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

    def open_early(self, server: Server, left: int, connect: Callable[[], HttpConnection]) -> None:
        """Begin to open the connections for the requests of files of ``server`` that follow one of
        which ``left`` bytes are to come, if that is large; ``connect`` returns one.
        """
        address = self.addresses.get(server)
        if self.coming is None or address is None or left < NEAR:
            return
        early = self._early.setdefault(server, [])
        wanted = min(self._requests, self.coming("://".join(server)))
        while len(self._begun) + len(early) < wanted:
            connection = connect()
            try:
                early.append(PendingResponse(connection, address))
            except FAILURES:  # the requests show what it is
                connection.close()
                return

    def ask(
        self,
        server: Server,
        connect: Callable[[], HttpConnection],
        target: str,
        headers: Mapping[str, str],
    ) -> PendingResponse | None:
        """Return a request that is sent ahead to a ``server`` whose address is known, over a
        connection that is open or that ``connect`` returns; None if that fails at once.
        """
        pending = self._opened(server)
        connection = pending.connection if pending else self.spare(server) or connect()
        try:
            pending = pending or PendingResponse(connection, self.addresses[server])
            pending.request(target, headers)
        except FAILURES:
            connection.close()
            return None
        return pending

    def _opened(self, server: Server) -> PendingResponse | None:
        """Return a connection to ``server`` that was opened early; None if there is not one."""
        early = self._early.get(server, [])
        while early:
            if not (found := early.pop(0)).is_closed:
                return found
            found.connection.close()
        return None

    def connected(self, server: Server, connection: HttpConnection) -> None:
        """Note where the ``connection`` of the client leads to, unless that is known."""
        if server not in self.addresses and connection.sock is not None:
            with suppress(OSError):  # the server has closed it
                self.addresses[server] = address_of(connection.sock)

    def _advance(self) -> None:
        if not (awaited := self._awaited()) or not (ready := wait_for_any(awaited, 0.0)):
            return
        for url, (pending, _) in list(self._begun.items()):
            if not advanced(pending, ready):
                del self._begun[url]
        for server, early in self._early.items():
            self._early[server] = [pending for pending in early if advanced(pending, ready)]

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
        end = time.monotonic() + seconds
        while connection.sock is not None and self._awaited():
            self._wait(connection.sock, select.POLLIN, end - time.monotonic())
            if connection.has_answer():
                return

    def _awaited(self) -> list[tuple[socket.socket, int]]:
        begun = (pending for pending, _ in self._begun.values())
        return [
            (pending.connection.sock, pending.awaited)
            for pending in chain(begun, *self._early.values())
            if pending.awaited is not None
        ]

    def _wait(self, sock: socket.socket, event: int, seconds: float) -> None:
        """Wait for ``event`` of ``sock``, and advance the pending requests meanwhile."""
        if seconds < 0:
            raise TimeoutError
        end = time.monotonic() + seconds
        while True:
            left = max(0.0, end - time.monotonic())
            ready = wait_for_any([(sock, event), *self._awaited()], left)
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

    def hold_back(self) -> None:
        """Request less ahead from now on, and nothing the second time: a server was silent. One
        that serves a connection at a time waits for those of ours that say nothing.
        """
        self.close()
        self.coming = None
        self.is_alone = self._requests < MAX_REQUESTS
        self._requests = 0 if self.is_alone else self._requests // MAX_REQUESTS

    def _end_requests(self) -> None:
        while self._begun:
            self._begun.popitem()[1][0].connection.close()
        self._end_early()

    def _end_early(self) -> None:
        while self._early:
            for pending in self._early.popitem()[1]:
                pending.connection.close()

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
            if connection.sock is not None and not comes(connection.sock, select.POLLIN):
                return connection
            connection.close()
        return None

    def close(self) -> None:
        """Close all connections."""
        self._end_requests()
        while self._spare:
            for connection in self._spare.popitem()[1]:
                connection.close()
