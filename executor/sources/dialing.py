"""The first connection to a server, which tells where it leads to before it is made.

It takes a round trip, and another one for TLS. Requests ahead that began after both would come two
round trips later than the first: over TLS from 100 ms away, 99 packages took 0.2 s more. So they
begin with it, at the same address.
"""

from __future__ import annotations

import errno
import http.client
import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

__all__ = ["Address", "address_of", "connecting", "dial_with_others"]


_PATIENCE = 1.0
"""Seconds to wait for an address of a server before the next one is tried. Where packets of IPv6
get lost, the first one hangs; RFC 8305 waits for 0.25 s, and tries the second beside it."""


class Address(NamedTuple):
    """Where a connection leads to."""

    family: int
    """As of ``socket.socket``."""
    place: Any
    """As of ``socket.connect``: for IPv4 the number of the host, and the port."""


def address_of(sock: socket.socket) -> Address:
    """Return where an open connection leads to. Raises OSError."""
    return Address(sock.family, sock.getpeername())


def connecting(sock: socket.socket, address: Address) -> Iterator[int]:
    """Connect ``sock``, which does not block, to ``address``; yield the event of poll(2) that has
    to be awaited, if there is one. Raises OSError.
    """
    problem = sock.connect_ex(address.place)
    if problem == errno.EINPROGRESS:
        yield select.POLLOUT
        problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if problem:
        raise OSError(problem, os.strerror(problem))


def dial_with_others(
    connection: http.client.HTTPConnection,
    begun: Callable[[Address], None],
    failed: Callable[[], None],
) -> None:
    """Let ``connection``, when it opens, call ``begun`` with the address that it is about to reach,
    and ``failed`` if that does not answer. Then the next one is tried, and in the end all of them
    for as long as the connection waits.
    """

    def opened(name: tuple[str, int], seconds: float, *_: object) -> socket.socket:
        found = socket.getaddrinfo(*name, 0, socket.SOCK_STREAM)
        *others, last = [Address(family, place) for family, _, _, _, place in found]
        shortly = min(seconds, _PATIENCE)
        waits = [*((other, shortly) for other in others), (last, seconds)]
        waits += [(other, seconds) for other in others]
        while True:
            address, patience = waits.pop(0)
            try:
                return _dialed(address, seconds, patience, begun)
            except OSError:
                failed()
                if not waits:
                    raise

    connection._create_connection = opened  # type: ignore[attr-defined]  # noqa: SLF001


def _dialed(
    address: Address, seconds: float, patience: float, begun: Callable[[Address], None]
) -> socket.socket:
    """Return a connection to ``address``, with a timeout of ``seconds``; at most ``patience``
    seconds are waited for it. Raises OSError.
    """
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        for event in connecting(sock, address):
            begun(address)
            poll = select.poll()
            poll.register(sock, event)
            if not poll.poll(patience * 1000):
                raise TimeoutError
        sock.settimeout(seconds)
    except BaseException:
        sock.close()
        raise
    return sock
