"""A large file comes over several connections if one is slow, and is the same file then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from executor.sources import ranges
from executor.sources.client import HttpClient
from executor.sources.errors import Unreachable
from executor.sources.ranges import worth_beginning
from executor.sources.tls import tls_context
from helpers.servers import (
    CERTIFICATE,
    Answer,
    Connection,
    Request,
    Server,
    cut,
    file,
    head_of,
    redirect,
    reset,
    stalled,
    status,
    without_ranges,
    wrong_range,
)
from helpers.surroundings import leave_plain

RANGE, CHUNK, CONNECTIONS = (1 << 20) + 1000, 128 << 10, 6
CONTENT = b"".join(number.to_bytes(4, "big") for number in range(3 << 20))
SIZE = len(CONTENT)
PATH = "/files/large-1.0-py3-none-any.whl"
FIRST = CHUNK + RANGE
"""Where the first range begins: one chunk is read before that is decided."""


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_plain(monkeypatch)


@pytest.fixture(autouse=True)
def every_server_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide files from the first chunk on, into ranges of a MiB that are cut within chunks."""
    for name in ("_LOOKED", "_LOOKED_AGAIN", "_OPENING", "_WAITING", "_TO_COME"):
        monkeypatch.setattr(ranges, name, 0.0)
    monkeypatch.setattr(ranges, "_RANGE", RANGE)
    monkeypatch.setattr("executor.sources.client._DIVISIBLE", 4 * RANGE)
    monkeypatch.setattr("executor.sources.client.time.sleep", lambda _: None)


@pytest.fixture(name="client")
def one_client() -> Iterator[HttpClient]:
    client = HttpClient(is_roomy=True)
    yield client
    client.close()


class Slow:
    """Sends the whole file; its first pieces each when a range was sent, or after a moment."""

    def __init__(self, part: Answer, etag: str = '"1"') -> None:
        """``part`` answers requests for ranges."""
        self._part = part
        self._tag = {"ETag": etag} if etag else {}
        self._sent = threading.Semaphore(0)

    def __call__(self, request: Request, connection: Connection) -> None:
        if "range" in request.headers:
            self._part(request, connection)
            self._sent.release()
            return
        connection.send(head_of(200, SIZE, self._tag))
        for start in range(0, SIZE, CHUNK):
            connection.send(CONTENT[start : start + CHUNK])
            if start < FIRST:
                self._sent.acquire(timeout=0.05)


def spans(server: Server) -> list[tuple[int, int]]:
    """The ranges that were requested, in order."""
    found = []
    for request in server.requests:
        if wanted := request.headers.get("range", "").removeprefix("bytes="):
            first, _, last = wanted.partition("-")
            found.append((int(first), int(last or SIZE - 1) + 1))
    return sorted(found)


def fetch(client: HttpClient, url: str) -> bytes:
    return b"".join(client.fetch(url, SIZE))


def test_the_ranges_follow_the_beginning_and_each_other(client: HttpClient) -> None:
    with Server() as server:
        assert fetch(client, server.script(PATH, Slow(file(CONTENT)))) == CONTENT
        found = spans(server)
        assert found[0][0] == FIRST
        assert found[-1][1] == SIZE
        assert all(before[1] == after[0] for before, after in pairwise(found))
        assert max(stop - start for start, stop in found) == RANGE
        assert len({request.connection for request in server.requests}) <= 1 + CONNECTIONS


def test_chunks_are_as_large_as_those_of_one_connection(client: HttpClient) -> None:
    with Server() as server:
        chunks = list(client.fetch(server.script(PATH, Slow(file(CONTENT))), SIZE))
        assert b"".join(chunks) == CONTENT
        assert max(map(len, chunks)) == CHUNK
        small = [len(chunk) for chunk in chunks if len(chunk) < CHUNK]
        assert len(small) <= len(spans(server)) + 1
        assert SIZE <= client.received < SIZE + CHUNK


def test_what_waits_is_bounded_by_the_ranges(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0
    take = ranges.Ranges._take

    def watched(self: ranges.Ranges, seconds: float) -> None:
        nonlocal most
        take(self, seconds)
        most = max(most, sum(len(one.held) for one in self._ranges))

    monkeypatch.setattr(ranges.Ranges, "_take", watched)
    with Server() as server:
        assert fetch(client, server.script(PATH, Slow(file(CONTENT)))) == CONTENT
    assert 0 < most <= CONNECTIONS * RANGE


def test_connections_are_kept_for_the_next_file(client: HttpClient) -> None:
    with Server() as server:
        fetch(client, server.script(PATH, Slow(file(CONTENT))))
        before = {request.connection for request in server.requests}
        assert b"".join(client.fetch(server.script("/small", file(b"small")), 5)) == b"small"
        assert server.requests[-1].connection in before


def test_ranges_come_over_tls(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with Server(tls=True) as server:
        assert fetch(client, server.script(PATH, Slow(file(CONTENT)))) == CONTENT
        assert spans(server)
    tls_context.cache_clear()


def test_ranges_are_requested_where_a_redirect_leads(client: HttpClient) -> None:
    with Server() as server, Server() as store:
        stored = store.script("/store", Slow(file(CONTENT)))
        assert fetch(client, server.script(PATH, redirect(f"{stored}?signed=1"))) == CONTENT
        assert len(server.requests) == 1
        assert spans(store)
        assert {request.target for request in store.requests} == {"/store?signed=1"}


def test_a_login_is_sent_with_each_range(client: HttpClient) -> None:
    with Server() as server:
        url = server.script(PATH, Slow(file(CONTENT))).replace("://", "://me:secret@")
        assert fetch(client, url) == CONTENT
        assert spans(server)
        assert len({request.headers["authorization"] for request in server.requests}) == 1


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(without_ranges(CONTENT), id="the whole file"),
        pytest.param(wrong_range(CONTENT, 1), id="another range"),
        pytest.param(file(CONTENT, etag='W/"2"'), id="another version"),
        pytest.param(file(CONTENT + b"more", etag='W/"1"'), id="a larger file"),
        pytest.param(file(CONTENT, headers={"Content-Encoding": "gzip"}), id="encoded"),
        pytest.param(status(429), id="too many requests"),
        pytest.param(status(403), id="forbidden"),
        pytest.param(cut(CONTENT, 0), id="an end at once"),
        pytest.param(reset(CONTENT, 0), id="a reset"),
        pytest.param(stalled(CONTENT, -1), id="nothing"),
    ],
)
def test_a_server_that_sends_no_ranges_is_asked_once(client: HttpClient, part: Answer) -> None:
    with Server() as server:
        url = server.script(PATH, Slow(part, etag='W/"1"'))
        assert fetch(client, url) == CONTENT
        asked = len(spans(server))
        assert 0 < asked < CONNECTIONS
        assert fetch(client, url) == CONTENT
        assert len(spans(server)) == asked


def failing_after(good: int, bad: Answer) -> Answer:
    """Send the first ``good`` ranges, answer later ones with ``bad``, and send the rest of the file
    to a request that resumes it.
    """
    count = 0
    lock = threading.Lock()

    def answer(request: Request, connection: Connection) -> None:
        nonlocal count
        with lock:
            count += 1
            is_good = count <= good or request.headers["range"].endswith("-")
        (file(CONTENT) if is_good else bad)(request, connection)

    return answer


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(without_ranges(CONTENT), id="the whole file"),
        pytest.param(wrong_range(CONTENT, 1), id="another range"),
        pytest.param(status(503), id="busy"),
        pytest.param(cut(CONTENT, 1000), id="an early end"),
        pytest.param(reset(CONTENT, 1000), id="a reset"),
    ],
)
@pytest.mark.parametrize("good", [5, 6, 7])
def test_a_range_that_fails_is_resumed_over_one_connection(
    client: HttpClient, good: int, bad: Answer
) -> None:
    with Server() as server:
        url = server.script(PATH, Slow(failing_after(good, bad)))
        assert fetch(client, url) == CONTENT
        resumed = [one for one in server.requests if one.headers.get("range", "").endswith("-")]
        assert len(resumed) == 1


def test_a_range_that_stalls_is_resumed(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("executor.sources.retries.IDLE_SECONDS", 0.3)
    monkeypatch.setattr("executor.sources.retries._PACE_SECONDS", 1e9)
    with Server() as server:
        url = server.script(PATH, Slow(failing_after(6, stalled(CONTENT, 1000))))
        assert fetch(client, url) == CONTENT


def test_a_file_that_was_replaced_is_doubtful(client: HttpClient) -> None:
    other = bytes(SIZE)
    with Server() as server:
        download = client.fetch(server.script(PATH, Slow(file(other, etag=None), etag="")), SIZE)
        assert b"".join(download) == CONTENT[:FIRST] + other[FIRST:]
        assert download.is_doubtful


@pytest.mark.parametrize("after", [1, FIRST, FIRST + 1, SIZE - 1])
def test_a_reader_that_leaves_early_leaves_no_connection(client: HttpClient, after: int) -> None:
    with Server() as server:
        download = client.fetch(server.script(PATH, Slow(file(CONTENT))), SIZE)
        read = 0
        while read < after:
            read += len(next(download))
        download.close()
        client.close()
        server.wait_until_left()


def test_a_lane_with_little_memory_uses_one_connection() -> None:
    client = HttpClient()
    with Server() as server:
        assert fetch(client, server.script(PATH, Slow(file(CONTENT)))) == CONTENT
        assert len(server.requests) == 1
    client.close()


def test_a_server_of_one_connection_at_a_time_gets_no_further_ones(client: HttpClient) -> None:
    client._prefetch.is_alone = True
    with Server() as server:
        assert fetch(client, server.script(PATH, Slow(file(CONTENT)))) == CONTENT
        assert len(server.requests) == 1


@pytest.mark.parametrize("size", [None, SIZE + 1])
def test_a_file_of_another_or_unknown_size_uses_one_connection(
    client: HttpClient, size: int | None
) -> None:
    with Server() as server:
        url = server.script(PATH, Slow(file(CONTENT)))
        if size is None:
            assert b"".join(client.fetch(url, None)) == CONTENT
        else:
            with pytest.raises(Unreachable):
                list(client.fetch(url, size))
        assert not any(
            one.headers.get("range", "-").endswith(tuple("0123456789")) for one in server.requests
        )


MB = 1_000_000


@pytest.mark.parametrize(
    ("arrived", "left", "seconds", "waited", "expected"),
    [
        pytest.param(10 * MB, 90 * MB, 1.0, 0.9, 5 * MB, id="slow"),
        pytest.param(1 * MB, 90 * MB, 1.0, 0.9, 1 << 20, id="very slow"),
        pytest.param(10 * MB, 90 * MB, 0.9, 0.9, None, id="too early to say"),
        pytest.param(10 * MB, 90 * MB, 1.0, 0.5, None, id="this machine is slow"),
        pytest.param(10 * MB, 29 * MB, 1.0, 0.9, None, id="soon complete"),
        pytest.param(10 * MB, 30 * MB, 1.0, 0.9, 5 * MB, id="three seconds to come"),
        pytest.param(1 * MB, 7 * MB, 1.0, 0.9, None, id="fewer bytes than ranges"),
    ],
)
def test_ranges_are_for_slow_servers_with_much_to_come(
    monkeypatch: pytest.MonkeyPatch,
    arrived: int,
    left: int,
    seconds: float,
    waited: float,
    expected: int | None,
) -> None:
    monkeypatch.undo()
    assert worth_beginning(arrived, left, seconds, waited) == expected


def test_a_server_that_was_slow_is_looked_at_for_a_quarter_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()
    assert worth_beginning(10 * MB, 90 * MB, 0.3, 0.3) is None
    assert worth_beginning(10 * MB, 900 * MB, 0.3, 0.3, was_slow=True)
