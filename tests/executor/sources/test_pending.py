"""A connection is opened, and a request sent, without waiting for either."""

from __future__ import annotations

import select
import socket
from urllib.parse import urlsplit

import pytest

from executor.sources.connection import HttpConnection, connect
from executor.sources.dialing import Address, address_of
from executor.sources.pending import PendingResponse, advanced, comes, wait_for_any
from helpers.servers import Server, file

SECONDS = 10.0
pytestmark = pytest.mark.usefixtures("plain_surroundings")


def unopened(server: Server) -> tuple[HttpConnection, Address]:
    """Return a connection that is not open, and the address of the server."""
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        address = address_of(sock)
    return connect(urlsplit(server.origin), None, SECONDS), address


def test_a_request_is_sent_when_its_connection_is_open(server: Server) -> None:
    server.script("/x", file(b"content"))
    pending = PendingResponse(*unopened(server))
    pending.request("/x", {"Host": "a"})
    while pending.awaited is not None:
        ready = wait_for_any([(pending.connection.sock, pending.awaited)], SECONDS)
        assert ready == {pending.connection.sock.fileno()}
        assert advanced(pending, ready)
    assert wait_for_any([(pending.connection.sock, select.POLLIN)], SECONDS)
    assert [request.path for request in server.requests] == ["/x"]
    assert not pending.is_closed
    pending.connection.close()


def test_one_that_fails_is_closed(server: Server) -> None:
    pending = PendingResponse(*unopened(server))
    sock = pending.connection.sock
    assert wait_for_any([(sock, select.POLLOUT)], SECONDS) == {sock.fileno()}
    sock.shutdown(socket.SHUT_RDWR)
    pending._request = "/x", {"Host": "a"}
    assert not advanced(pending, {sock.fileno()})
    assert sock.fileno() == -1


def test_one_that_is_not_ready_is_left_as_it_is(server: Server) -> None:
    pending = PendingResponse(*unopened(server))
    assert advanced(pending, set())
    assert not comes(pending.connection.sock, select.POLLIN)
    pending.connection.close()
