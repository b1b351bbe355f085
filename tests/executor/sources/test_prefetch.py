"""The next files are requested early, and arrive even if such a request fails."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from executor.sources.client import HttpClient
from executor.sources.connection import connect
from executor.sources.dialing import address_of
from executor.sources.errors import Unreachable
from executor.sources.pending import PendingResponse
from executor.sources.prefetch import (
    ALL_REQUESTS,
    MAX_REQUESTS,
    NEAR,
    WINDOW,
    Prefetch,
    requests_of,
)
from executor.sources.retries import Retries
from executor.sources.tls import tls_context
from helpers.servers import (
    CERTIFICATE,
    Answer,
    Connection,
    Proxy,
    Request,
    Server,
    cut,
    file,
    redirect,
    reset,
    stalled,
    status,
    wrong_range,
)
from helpers.surroundings import leave_plain

SMALL = bytes(range(256)) * 40
PATHS = [f"/files/package_{number}-1.0-py3-none-any.whl" for number in range(12)]
PATIENCE = 10.0
"""Seconds that a request may take to arrive."""


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_plain(monkeypatch)


@pytest.fixture(name="server", params=["http", "https"])
def running_server(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    tls_context.cache_clear()
    with Server(tls=request.param == "https") as server:
        yield server
    tls_context.cache_clear()


@pytest.fixture(name="client")
def one_client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def looking_ahead(client: HttpClient, files: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """What is left of ``files``, in which the client looks for those that follow."""
    left = list(files)
    client.look_ahead(lambda _: left.pop(0) if left else None)
    return left


def fetch(client: HttpClient, url: str, size: int) -> bytes:
    return b"".join(client.fetch(url, size))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_files_that_follow_come_whole_and_are_asked_for_once(
    server: Server, client: HttpClient
) -> None:
    contents = {path: SMALL + path.encode() for path in PATHS}
    files = [(server.script(path, file(data)), len(data)) for path, data in contents.items()]
    looking_ahead(client, files[1:])
    found = [fetch(client, url, size) for url, size in files]
    assert found == list(contents.values())
    assert sorted(request.path for request in server.requests) == sorted(PATHS)
    assert len({request.connection for request in server.requests}) <= MAX_REQUESTS + 1


def read_slowly(client: HttpClient, paths: list[str], ahead: int) -> None:
    """Read the first of the files, once ``ahead`` of the others are asked for, and no more."""
    with Server() as server:
        files = [(server.script(path, file(SMALL)), len(SMALL)) for path in paths]
        looking_ahead(client, files[1:])
        reading = client.fetch(*files[0])
        next(reading)
        until(lambda: len(server.requests) == 1 + ahead)
        assert b"".join(reading) == b""
        assert len(server.requests) == 1 + ahead


def test_the_next_file_is_asked_for_before_this_one_is_read(client: HttpClient) -> None:
    read_slowly(client, PATHS, MAX_REQUESTS)


def test_more_files_are_asked_for_where_memory_is_not_short() -> None:
    assert requests_of(2, is_roomy=False) == MAX_REQUESTS
    assert requests_of(2, is_roomy=True) == ALL_REQUESTS // 2
    assert requests_of(100, is_roomy=True) == MAX_REQUESTS
    many = 2 * MAX_REQUESTS
    with closing(HttpClient(requests=many)) as client:
        read_slowly(client, [f"/{number}" for number in range(many + 2)], many)


@pytest.mark.parametrize(
    ("limit", "requests"), [(-1, ALL_REQUESTS), (1024, ALL_REQUESTS), (64, 16), (50, 2), (20, 0)]
)
def test_a_limit_of_open_files_leaves_fewer_requests(
    limit: int, requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_OPEN_MAX": limit}.__getitem__)
    assert requests_of(1, is_roomy=True) == requests


def test_the_next_files_are_asked_for_while_the_first_answer_is_awaited(
    client: HttpClient,
) -> None:
    arrived = []

    def late(request: Request, connection: Connection) -> None:
        until(lambda: len(server.requests) == 1 + MAX_REQUESTS)
        arrived.append(len(server.requests))
        file(SMALL)(request, connection)

    with Server() as server:
        first = server.script("/first", late)
        looking_ahead(client, [(server.script(path, file(SMALL)), len(SMALL)) for path in PATHS])
        assert fetch(client, first, len(SMALL)) == SMALL
    assert arrived == [1 + MAX_REQUESTS]


def test_the_next_connections_begin_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    monkeypatch.setattr("executor.sources.client.time.sleep", lambda _: None)
    tls_context.cache_clear()
    client = HttpClient()
    with socket.create_server(("127.0.0.1", 0), backlog=2 * MAX_REQUESTS) as listening:
        listening.settimeout(PATIENCE)
        origin = f"https://127.0.0.1:{listening.getsockname()[1]}"
        looking_ahead(client, [(origin + path, len(SMALL)) for path in PATHS])

        def reading() -> None:
            with suppress(Unreachable):
                fetch(client, f"{origin}/first", len(SMALL))

        thread = threading.Thread(target=reading)
        thread.start()
        # Nobody answers the handshake of the first one meanwhile.
        accepted = [listening.accept()[0] for _ in range(1 + MAX_REQUESTS)]
    for sock in accepted:
        sock.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    client.close()


def test_requests_ahead_go_on_while_an_answer_is_awaited_that_never_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    tls_context.cache_clear()
    pending = iter([("https://ahead.example/", 1)])
    goes_on = threading.Event()
    with Server(tls=True) as server:
        server.hold_handshakes(goes_on)
        server.script("/ahead", file(SMALL))
        # Says nothing, so that the server waits for its handshake.
        silent = connect(urlsplit(f"http://127.0.0.1:{server.port}"), None, PATIENCE)
        silent.open()
        following = connect(urlsplit(server.origin), None, PATIENCE)
        prefetch = Prefetch(MAX_REQUESTS)
        prefetch.upcoming = lambda _: next(pending, None)
        request = PendingResponse(following, address_of(silent.sock))
        request.request("/ahead", {})
        prefetch.fill(1, lambda _: request)
        assert not server.requests
        goes_on.set()

        def came_while_waiting() -> bool:
            with suppress(TimeoutError):
                prefetch.wait(silent, 0.1)
            return [request.path for request in server.requests] == ["/ahead"]

        until(came_while_waiting)
        prefetch.close()
        silent.close()
    tls_context.cache_clear()


def test_files_beyond_the_window_leave_the_other_lanes_as_many(client: HttpClient) -> None:
    with Server() as server:
        first = server.script("/first", file(SMALL))
        size = WINDOW // 2
        urls = [server.script(path, file(bytes(size))) for path in PATHS]
        asked = []

        def upcoming(leaves_some: bool) -> tuple[str, int]:
            asked.append(leaves_some)
            return urls[len(asked) - 1], size

        client.look_ahead(upcoming)
        assert fetch(client, first, len(SMALL)) == SMALL
        assert asked == [False, False] + [True] * (MAX_REQUESTS - 2)
        # Else the server would wait until its answers are read.
        client.close()


def test_large_files_are_asked_for_one_by_one_and_late(client: HttpClient) -> None:
    large = bytes(NEAR + (256 << 10))
    with Server() as server:
        files = [(server.script(path, file(large)), len(large)) for path in PATHS[:4]]
        left = looking_ahead(client, files[1:])
        reading = client.fetch(*files[0])
        next(reading)
        assert len(left) == 3
        for _ in reading:
            assert len(left) >= 2
        assert len(left) == 2
        assert len(large) > WINDOW


LARGE = bytes(NEAR + (1 << 20))


class Early:
    """A large file that is sent when so many connections are open, and the small ones behind it."""

    def __init__(self, server: Server, client: HttpClient, opened: int) -> None:
        self.asked: list[str] = []
        self.client = client
        self.server = server
        self.large = server.script("/large", self._send), len(LARGE)
        self.files = [(server.script(path, file(SMALL)), len(SMALL)) for path in PATHS]
        self._opened = opened
        left = list(self.files)
        client.look_ahead(lambda _: left.pop(0) if left else None, self._coming)

    def _coming(self, server: str) -> int:
        self.asked.append(server)
        return self._opened

    def _send(self, request: Request, connection: Connection) -> None:
        until(lambda: len(self.server._connections) == 1 + min(self._opened, MAX_REQUESTS))
        assert len(self.server.requests) == 1
        file(LARGE)(request, connection)

    def fetch(self) -> None:
        assert fetch(self.client, *self.large) == LARGE
        assert [fetch(self.client, *wanted) for wanted in self.files] == [SMALL] * len(PATHS)
        assert self.asked == [self.server.origin]
        assert sorted(request.path for request in self.server.requests) == sorted(
            ["/large", *PATHS]
        )


@pytest.mark.parametrize("coming", [2, len(PATHS)])
def test_connections_for_small_files_open_while_a_large_one_comes(
    server: Server, client: HttpClient, coming: int
) -> None:
    Early(server, client, coming).fetch()
    used = {request.connection for request in server.requests}
    assert used >= set(range(1 + min(coming, MAX_REQUESTS)))


def test_a_connection_that_the_server_has_closed_before_its_request_is_not_used(
    server: Server, client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[None] = []

    def fail(*_: object, **__: object) -> bool:
        failed.append(None)
        return True

    monkeypatch.setattr(Retries, "fail", fail)
    early = Early(server, client, 3)
    reading = client.fetch(*early.large)
    received = len(next(reading))
    for connection in server._connections[1:4]:
        connection._socket.shutdown(socket.SHUT_RDWR)
    received += sum(map(len, reading))
    assert received == len(LARGE)
    assert [fetch(client, *wanted) for wanted in early.files] == [SMALL] * len(PATHS)
    assert not failed, "a request had to be sent again"
    assert len(server.requests) == 1 + len(PATHS)


def test_no_connection_opens_early_for_files_of_other_servers_or_behind_small_ones(
    client: HttpClient,
) -> None:
    with Server() as server:
        Early(server, client, 0).fetch()
        client.look_ahead(lambda _: None, lambda _: pytest.fail("it is small"))
        assert fetch(client, server.script("/small", file(SMALL)), len(SMALL)) == SMALL


class OneAtATime(BaseHTTPRequestHandler):
    """Answers for a server that has no threads: it waits for each connection until that ends."""

    def do_GET(self) -> None:
        content = LARGE if self.path == "/large" else SMALL
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_a_server_that_serves_one_connection_at_a_time_serves_all_files(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr("executor.sources.retries.IDLE_SECONDS", 0.2)
    monkeypatch.setattr(OneAtATime, "protocol_version", version)
    with HTTPServer(("127.0.0.1", 0), OneAtATime) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        origin = f"http://127.0.0.1:{server.server_port}"
        files = [(f"{origin}{path}", len(SMALL)) for path in PATHS]
        left = list(files)
        # Half of the files are for another lane, but connections are opened for all.
        client.look_ahead(
            lambda _: left.pop(0) if len(left) > len(files) // 2 else None, lambda _: len(files)
        )
        try:
            assert fetch(client, f"{origin}/large", len(LARGE)) == LARGE
            assert [fetch(client, *wanted) for wanted in files] == [SMALL] * len(files)
        finally:
            client.close()
            server.shutdown()
            thread.join()


def test_connections_that_no_file_is_left_for_are_closed(
    server: Server, client: HttpClient
) -> None:
    early = Early(server, client, 3)
    client.look_ahead(lambda _: None, early._coming)
    assert fetch(client, *early.large) == LARGE
    until(lambda: not any(client._prefetch._early.values()))


def test_a_server_that_takes_no_early_connection_is_asked_when_it_is_wanted(
    client: HttpClient,
) -> None:
    with Server() as server:
        first = server.script("/first", file(SMALL))
        assert fetch(client, first, len(SMALL)) == SMALL
        server.refuse_connections()
        client.look_ahead(lambda _: None, lambda _: 3)
        assert fetch(client, server.script("/large", file(LARGE)), len(LARGE)) == LARGE
        assert {request.connection for request in server.requests} == {0}


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([status(503), file(SMALL)], id="unavailable"),
        pytest.param([reset(SMALL, 0), file(SMALL)], id="reset at once"),
        pytest.param([reset(SMALL, 100), file(SMALL)], id="reset later"),
        pytest.param([cut(SMALL, 100), file(SMALL)], id="cut"),
        pytest.param([cut(SMALL, 100), wrong_range(SMALL, 7), file(SMALL)], id="cut, then wrong"),
        pytest.param([redirect("/elsewhere")], id="redirect"),
    ],
)
def test_a_request_that_fails_is_made_again_when_it_is_wanted(
    server: Server, client: HttpClient, answers: list[Answer]
) -> None:
    server.script("/elsewhere", file(SMALL))
    first = server.script(PATHS[0], file(SMALL))
    url = server.script(PATHS[1], *answers)
    last = server.script(PATHS[2], file(SMALL))
    looking_ahead(client, [(url, len(SMALL)), (last, len(SMALL))])
    for wanted in (first, url, last):
        assert fetch(client, wanted, len(SMALL)) == SMALL


def test_a_server_that_takes_no_further_connection_is_asked_when_it_is_wanted(
    client: HttpClient,
) -> None:
    with Server() as server:
        files = [(server.script(path, file(SMALL)), len(SMALL)) for path in PATHS[:4]]
        assert fetch(client, *files[0]) == SMALL
        server.refuse_connections()
        looking_ahead(client, files[2:])
        assert [fetch(client, *wanted) for wanted in files[1:]] == [SMALL] * 3
        assert {request.connection for request in server.requests} == {0}


def test_what_goes_through_a_proxy_is_asked_for_when_it_is_wanted(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server() as server, Proxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        named = server.origin.replace("127.0.0.1", "files.example")
        for path in PATHS:
            server.script(path, file(SMALL))
        files = [(named + path, len(SMALL)) for path in PATHS]
        looking_ahead(client, files[1:])
        reading = client.fetch(*files[0])
        next(reading)
        time.sleep(0.05)
        assert len(server.requests) == 1
        assert b"".join(reading) == b""
        assert [fetch(client, *wanted) for wanted in files[1:]] == [SMALL] * (len(PATHS) - 1)


def test_a_malformed_url_is_told_when_it_is_wanted(client: HttpClient) -> None:
    malformed = "http://[half/a-1.0-py3-none-any.whl"
    with Server() as server:
        looking_ahead(client, [(malformed, len(SMALL))])
        url = server.script(PATHS[0], file(SMALL))
        assert fetch(client, url, len(SMALL)) == SMALL
        with pytest.raises(Unreachable):
            fetch(client, malformed, len(SMALL))


def test_what_is_not_wanted_any_more_is_let_go(client: HttpClient) -> None:
    with Server() as server:
        files = [(server.script(path, stalled(SMALL, 10)), len(SMALL)) for path in PATHS]
        first = server.script("/first", file(SMALL))
        looking_ahead(client, files)
        assert fetch(client, first, len(SMALL)) == SMALL
        client.close()
