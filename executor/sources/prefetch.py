"""Requests for the next files of a lane, sent before the lane needs their responses.

A lane that requests a file only after it has unpacked the one before waits a round trip for each:
at 100 ms, 99 wheels took 7.3 s on two lanes, at 1 ms 2.4 s. So the next small files are requested
while the lane is at work, each on a connection of its own. Nothing here waits: a connection is
advanced as far as it goes, and responses stay in the kernel. If such a request fails, that shows
when its response is needed, and the request is then sent again.
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
"""Scheme and authority of a server."""


Upcoming = Callable[[], tuple[str, int] | None]
"""Returns URL and size (bytes) of the next file that will be needed, another one at each call."""


MAX_REQUESTS = 8
"""Requests of one lane at once. Browsers open 6 connections to a server, uv 50."""


WINDOW = 512 << 10
"""Bytes that all requested files may have together. The kernel holds 64 KiB of a response that is
not read (https://man7.org/linux/man-pages/man7/tcp.7.html, tcp_rmem), and they may be charged."""


NEAR = 8 << 20
"""Bytes that may be left of a file when the next one is requested, whatever the size of that. They
take longer than a round trip; and another lane that runs out of work does not miss it for long."""


_FAILURES = (OSError, http.client.HTTPException)


class PendingResponse:
    """One request whose response is not needed yet; owned by ``Prefetch`` until it is taken."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        known: socket.socket,
        target: str,
        headers: Mapping[str, str],
    ) -> None:
        """``connection`` is open, or is opened to the peer of ``known``, so that the name of the
        host is not looked up again. Raises OSError and HTTPException.
        """
        self.connection = connection
        self._making = self._make(known, target, headers)
        self._awaited = next(self._making, None)
        self.advance()

    def _make(self, known: socket.socket, target: str, headers: Mapping[str, str]) -> Iterator[int]:
        """Connect and send the request; yield an event of poll(2) whenever it has to be awaited."""
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
        """Go on as far as possible, waiting for at most ``seconds`` at each event.

        Raises OSError and HTTPException.
        """
        while self._awaited is not None:
            if not _comes(self.connection.sock, self._awaited, seconds):
                return
            self._awaited = next(self._making, None)

    def finish(self, seconds: float) -> None:
        """Complete the request, now that its response is needed.

        Raises OSError (TimeoutError after ``seconds``) and HTTPException.
        """
        self.advance(seconds)
        if self._awaited is not None:
            raise TimeoutError


class Prefetch:
    """The pending requests of one lane, and its spare connections; owned by the client."""

    def __init__(self) -> None:
        self.upcoming: Upcoming | None = None
        self._begun: dict[str, tuple[PendingResponse, int]] = {}
        self._spare: dict[Server, list[http.client.HTTPConnection]] = {}

    def fill(self, left: int, begin: Callable[[str], PendingResponse | None]) -> None:
        """Advance the pending requests, and ``begin`` more if few bytes are still to come: ``left``
        bytes of the file that is being read, and the sizes of the pending ones.
        """
        for url, (pending, _) in list(self._begun.items()):
            try:
                pending.advance()
            except _FAILURES:
                pending.connection.close()
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
        """Return the pending request for ``url``, which is needed now; None if there is not one."""
        return self._begun.pop(url, (None, 0))[0]

    def keep(self, server: Server, connection: http.client.HTTPConnection) -> None:
        """Keep an open ``connection`` whose response has been read, for a later request."""
        self._spare.setdefault(server, []).append(connection)

    def spare(self, server: Server) -> http.client.HTTPConnection | None:
        """Return a connection that was kept and that the server has not closed; None if there is
        not one.
        """
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
