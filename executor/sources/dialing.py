"""The first connection to a server, which tells where it leads to before it is made.

It takes a round trip, and another one for TLS. Requests ahead that began after both would come two
round trips later than the first: over TLS from 100 ms away, 99 packages took 0.2 s more. So they
begin with it, at the same address.
"""

from __future__ import annotations

import _thread
import errno
import os
import select
import socket
from _queue import SimpleQueue
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from executor.budget.memory import counts_what_is_reserved
from executor.files.block_thread import next_of

__all__ = ["Address", "address_of", "ascii_name", "connecting", "dial"]


_PATIENCE = 1.0
"""Seconds to wait for an address of a server before the next one is tried. Where packets of IPv6
get lost, the first one hangs; RFC 8305 waits for 0.25 s, and tries the second beside it."""


_MAX_LABEL = 63
"""Characters between two dots of a name."""


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


def ascii_name(host: str) -> bytes:
    """Return the name of a host as DNS and certificates have it. Raises UnicodeError if there is
    none. Python takes a millisecond to load what a name that is not ASCII needs.
    """
    is_long = max(map(len, host.split("."))) > _MAX_LABEL
    name = host.encode("idna" if is_long or ".." in host or not host.isascii() else "ascii")
    if not name or b" " in name or not name.decode("ascii").isprintable():
        raise UnicodeError("no host has such a name")
    return name


def dial(
    place: tuple[str, int],
    seconds: float,
    begun: Callable[[Address], None],
    failed: Callable[[], None],
) -> socket.socket:
    """Return a connection to ``place``, host and port, with a timeout of ``seconds``.

    Call ``begun`` with each address that it is about to reach, and ``failed`` if that does not
    answer. Then the next one is tried, and in the end all of them for ``seconds``. Raises OSError
    and UnicodeError.
    """
    host, port = place
    *others, last = _look_up(ascii_name(host), port)
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


def _look_up(host: bytes, port: int) -> list[Address]:
    """Return the addresses of a host. Raises OSError.

    The main thread lets another one wait for the name server, which getaddrinfo(3) does whatever
    signals come; that of an interrupted lookup ends with the process.
    """
    find = partial(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
    answers: SimpleQueue[list[Any] | Exception] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put(find())
        except Exception as error:  # noqa: BLE001  # raised again below
            answers.put(error)

    is_named = not host.replace(b".", b"").isdigit()
    is_main = _thread.get_native_id() == os.getpid()
    try:
        if is_named and is_main and not counts_what_is_reserved():
            _thread.start_new_thread(answer, ())
        else:
            answer()
        found = next_of(answers)
    except (RuntimeError, MemoryError):  # no thread can be made
        found = find()
    if isinstance(found, Exception):
        raise found
    return [Address(family, where) for family, _, _, _, where in found]


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
