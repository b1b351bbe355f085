"""Ahead: requests that are made before their answers are wanted.

A lane that asks for a file when the one before is unpacked waits a round trip for each: with a
round trip of 100 ms, 99 wheels took 7.3 s on two lanes, with one of 1 ms 2.4 s. So the small files
that come next are asked for while a lane is at work, each on a connection of its own. Nothing here
waits: a connection is brought as far as it comes, and answers stay with the kernel. What goes wrong
with such a request shows when its answer is wanted, and then it is made anew.
"""

from __future__ import annotations

import errno
import http.client
import os
import select
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping

from executor.sources.tls import tls_context

__all__ = ["MAX_REQUESTS", "NEAR", "WINDOW", "PendingResponse", "Prefetch", "Server", "Upcoming"]


Server = tuple[str, str]
"""Scheme and authority."""


Upcoming = Callable[[], tuple[str, int] | None]
"""URL and size in bytes of what will be asked for next, another one each time."""


MAX_REQUESTS = 8
"""Of one lane, under way at once. Browsers open 6 connections to a server, uv 50."""


WINDOW = 512 << 10
"""Bytes that all files asked for may have together. The kernel holds 64 KiB of one that nobody
reads (https://man7.org/linux/man-pages/man7/tcp.7.html, tcp_rmem) and may be charged for them."""


NEAR = 8 << 20
"""Bytes that may be left of a file when the next one is asked for, however large that is. They take
longer than a round trip; and another lane that runs out of work does not miss it for long."""


_FAILURES = (OSError, http.client.HTTPException)


class PendingResponse:
    """One request that is being made."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        known: socket.socket,
        target: str,
        headers: Mapping[str, str],
    ) -> None:
        """``connection`` is open, or is opened to where ``known`` leads: a name that was looked up
        once need not be again. Raises OSError and HTTPException.
        """
        self.connection = connection
        self._making = self._make(known, target, headers)
        self._awaited = next(self._making, None)
        self.advance()

    def _make(self, known: socket.socket, target: str, headers: Mapping[str, str]) -> Iterator[int]:
        """Whenever there is something to wait for, the event of poll(2) that tells of it."""
        connection = self.connection
        if connection.sock is None:
            connection.sock = socket.socket(known.family)
            connection.sock.setblocking(False)
            problem = connection.sock.connect_ex(known.getpeername())
            if problem == errno.EINPROGRESS:
                yield select.POLLOUT
                problem = connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, os.strerror(problem))
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if isinstance(connection, http.client.HTTPSConnection):
                yield from self._secure(connection)
        connection.sock.setblocking(True)
        connection.request("GET", target, headers=dict(headers))

    def _secure(self, connection: http.client.HTTPSConnection) -> Iterator[int]:
        connection.sock = secured = tls_context().wrap_socket(
            connection.sock, server_hostname=connection.host, do_handshake_on_connect=False
        )
        while True:
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                yield select.POLLIN
            except ssl.SSLWantWriteError:
                yield select.POLLOUT
            else:
                return

    def advance(self, seconds: float = 0.0) -> None:
        """Go on as far as is possible, waiting for at most ``seconds`` at each point. Raises
        OSError and HTTPException.
        """
        while self._awaited is not None:
            if not _comes(self.connection.sock, self._awaited, seconds):
                return
            self._awaited = next(self._making, None)

    def finish(self, seconds: float) -> None:
        """Make the request, now that its answer is wanted. Raises OSError and HTTPException."""
        self.advance(seconds)
        if self._awaited is not None:
            raise TimeoutError


class Prefetch:
    """The requests that one lane has under way."""

    def __init__(self) -> None:
        self.upcoming: Upcoming | None = None
        self._begun: dict[str, tuple[PendingResponse, int]] = {}
        self._spare: dict[Server, list[http.client.HTTPConnection]] = {}

    def fill(self, left: int, begin: Callable[[str], PendingResponse | None]) -> None:
        """Bring what is under way further, and ``begin`` more where little is: ``left`` bytes of
        the file that is being read, and what was asked for already.
        """
        for url, (early, _) in list(self._begun.items()):
            try:
                early.advance()
            except _FAILURES:
                early.connection.close()
                del self._begun[url]
        waiting = left + sum(size for _, size in self._begun.values())
        while self.upcoming and len(self._begun) < MAX_REQUESTS:
            if waiting >= (WINDOW if self._begun else NEAR):
                return
            if (following := self.upcoming()) is None:
                return
            url, size = following
            if (begun := begin(url)) is None:
                return
            self._begun[url] = begun, size
            waiting += size

    def take(self, url: str) -> PendingResponse | None:
        """The request for ``url``, which is wanted now; None where there is none under way."""
        return self._begun.pop(url, (None, 0))[0]

    def keep(self, server: Server, connection: http.client.HTTPConnection) -> None:
        """The next request may go over an open ``connection`` whose answer is read."""
        self._spare.setdefault(server, []).append(connection)

    def spare(self, server: Server) -> http.client.HTTPConnection | None:
        """A connection that was kept, and that the server has not closed meanwhile."""
        kept = self._spare.get(server, [])
        while kept:
            connection = kept.pop()
            if connection.sock is not None and not _comes(connection.sock, select.POLLIN, 0.0):
                return connection
            connection.close()
        return None

    def close(self) -> None:
        """Close all connections."""
        while self._begun:
            self._begun.popitem()[1][0].connection.close()
        while self._spare:
            for connection in self._spare.popitem()[1]:
                connection.close()


def _comes(sock: socket.socket, event: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(sock, event)
    return bool(poll.poll(seconds * 1000))
