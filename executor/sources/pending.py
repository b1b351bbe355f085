"""A connection, and perhaps a request, that goes on while something else is waited for."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable, Iterator, Mapping

from executor.sources.connection import HttpConnection
from executor.sources.dialing import Address, connecting
from executor.sources.http1 import HttpError

__all__ = ["FAILURES", "PendingResponse", "advanced", "comes", "wait_for_any"]


FAILURES = (OSError, ValueError, HttpError)
"""What opening a connection and sending a request raise."""


class PendingResponse:
    """A connection that is opened ahead, and perhaps its request, whose response is not needed yet;
    owned by ``Prefetch`` until it is taken.
    """

    def __init__(self, connection: HttpConnection, address: Address) -> None:
        """``connection`` is open, or is opened to ``address``, so that the name of the host is not
        looked up again. Raises OSError, ValueError and HttpError.
        """
        self.connection = connection
        self._request: tuple[str, Mapping[str, str]] | None = None
        self._opening = self._open(address)
        self._awaited = next(self._opening, None)
        self.advance()

    def _open(self, address: Address) -> Iterator[int]:
        """Connect; yield an event of poll(2) whenever it has to be awaited."""
        connection = self.connection
        if connection.sock is None:
            connection.sock = socket.socket(address.family)
            connection.sock.setblocking(False)
            yield from connecting(connection.sock, address)
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield from connection.secure()

    def request(self, target: str, headers: Mapping[str, str]) -> None:
        """Send a request as soon as the connection is open. Raises what ``advance`` raises."""
        self._request = target, headers
        self.advance()

    @property
    def awaited(self) -> int | None:
        """Return the event of poll(2) that it waits for; None when there is nothing to do."""
        return self._awaited

    @property
    def is_closed(self) -> bool:
        """Whether the server has closed the connection."""
        return comes(self.connection.sock, select.POLLRDHUP)

    def advance(self) -> None:
        """Go on as far as possible without waiting. Raises OSError, ValueError and HttpError."""
        while self._awaited is not None and comes(self.connection.sock, self._awaited):
            self._awaited = next(self._opening, None)
        if self._awaited is None and self._request is not None:
            (target, headers), self._request = self._request, None
            self.connection.sock.setblocking(True)
            self.connection.request("GET", target, headers)


def advanced(pending: PendingResponse, ready: set[int]) -> bool:
    """Advance a request if its socket is ``ready``; close its connection if that fails, and return
    whether it did not.
    """
    try:
        if pending.connection.sock.fileno() in ready:
            pending.advance()
    except FAILURES:
        pending.connection.close()
        return False
    return True


def wait_for_any(awaited: Iterable[tuple[socket.socket, int]], seconds: float) -> set[int]:
    """Wait until one of the sockets has its event; return the descriptors of those that have."""
    poll = select.poll()
    for sock, event in awaited:
        poll.register(sock, event)
    return {number for number, _ in poll.poll(seconds * 1000)}


def comes(sock: socket.socket, event: int) -> bool:
    """Return whether ``sock`` has the ``event`` of poll(2) now."""
    return bool(wait_for_any([(sock, event)], 0.0))
