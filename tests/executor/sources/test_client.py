"""The bytes of a file arrive whole and once, or an error says what failed and how."""

from __future__ import annotations

import errno
import gzip
import os
import re
import time
from contextlib import suppress
from typing import NoReturn
from urllib.parse import quote

import pytest

from executor.sources.client import HttpClient
from executor.sources.errors import Replaced
from helpers.downloads import ATTEMPTS, CONTENT, HALF, PATH, SIZE, failure, fetch
from helpers.servers import (
    FAULTS,
    Answer,
    Connection,
    Request,
    Server,
    chunked,
    cut,
    dripping,
    file,
    raw,
    reset,
    stalled,
    status,
    trickling,
    unsized,
    without_ranges,
    wrong_range,
)

pytestmark = pytest.mark.usefixtures("plain_surroundings", "pauses")


def ranges(server: Server) -> list[str | None]:
    return [request.headers.get("range") for request in server.requests]


def _tag(etag: str | None) -> dict[str, str]:
    return {"ETag": etag} if etag else {}


class TestGoodServers:
    @pytest.mark.parametrize(
        "answer",
        [file(CONTENT), without_ranges(CONTENT), chunked(CONTENT), unsized(CONTENT)],
        ids=["length", "no ranges", "chunked", "no length"],
    )
    @pytest.mark.parametrize("size", [SIZE, None])
    def test_a_file_is_read_in_one_request(
        self, server: Server, client: HttpClient, answer: Answer, size: int | None
    ) -> None:
        assert fetch(client, server.script(PATH, answer), size) == CONTENT
        assert len(server.requests) == 1

    def test_an_empty_file_is_read(self, server: Server, client: HttpClient) -> None:
        assert fetch(client, server.script(PATH, file(b"")), 0) == b""

    def test_a_file_that_a_proxy_has_passed_on_is_read(
        self, server: Server, client: HttpClient
    ) -> None:
        assert fetch(client, server.script(PATH, status(203, body=CONTENT))) == CONTENT

    def test_chunks_are_bounded(self, server: Server, client: HttpClient) -> None:
        url = server.script(PATH, file(CONTENT * 4))
        assert max(map(len, client.fetch(url, 4 * SIZE))) <= 128 << 10

    def test_the_file_is_asked_for_as_it_is_stored(
        self, server: Server, client: HttpClient
    ) -> None:
        fetch(client, server.script(PATH, file(CONTENT)))
        (request,) = server.requests
        assert (request.method, request.target) == ("GET", PATH)
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["host"] == server.origin.removeprefix("http://")
        assert request.headers["user-agent"].startswith("lockstream/")
        assert not {"range", "if-range", "authorization"} & request.headers.keys()

    def test_files_share_a_connection(self, server: Server, client: HttpClient) -> None:
        for name in ("/a", "/b", "/c"):
            assert fetch(client, server.script(name, file(CONTENT))) == CONTENT
        assert {request.connection for request in server.requests} == {0}

    def test_a_file_that_is_left_half_read_does_not_spoil_the_next(
        self, server: Server, client: HttpClient
    ) -> None:
        chunks = client.fetch(server.script("/a", file(CONTENT)), SIZE)
        next(chunks)
        chunks.close()
        assert fetch(client, server.script("/b", file(b"other")), 5) == b"other"
        assert [request.connection for request in server.requests] == [0, 1]

    def test_a_connection_that_was_closed_meanwhile_is_made_again_at_once(
        self, server: Server, client: HttpClient, pauses: list[float]
    ) -> None:
        fetch(client, server.script("/a", file(CONTENT)))
        # The server has told nothing of it: the next request finds the connection dead.
        url = server.script("/b", raw(b"", close=True), file(CONTENT))
        assert fetch(client, url) == CONTENT
        assert pauses == [0.0]

    @pytest.mark.parametrize(
        ("path", "asked"),
        [
            ("/a%20b+c.whl", "/a%20b+c.whl"),
            ("/a b.whl", "/a%20b.whl"),
            ("/ünï.whl", quote("/ünï.whl")),
            ("/x.whl?sig=a%2Fb&t=1", "/x.whl?sig=a%2Fb&t=1"),
            ("", "/"),
        ],
    )
    def test_what_no_url_may_hold_is_quoted(
        self, server: Server, client: HttpClient, path: str, asked: str
    ) -> None:
        server.script(asked.partition("?")[0], file(CONTENT))
        assert fetch(client, server.origin + path) == CONTENT
        assert server.requests[0].target == asked


class TestFaults:
    BRINGS_A_PIECE = frozenset(
        {"cut in the middle", "cut before the last byte", "reset in the middle"}
    )
    """However often they happen, the file gets on."""

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_fault_that_passes_is_overcome(
        self, server: Server, client: HttpClient, fault: str
    ) -> None:
        url = server.script(PATH, FAULTS[fault](CONTENT), file(CONTENT))
        assert fetch(client, url) == CONTENT
        assert len(server.requests) == 2

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_fault_that_passes_is_overcome_in_the_middle_of_a_file(
        self, server: Server, client: HttpClient, fault: str
    ) -> None:
        url = server.script(PATH, cut(CONTENT, HALF), FAULTS[fault](CONTENT), file(CONTENT))
        assert fetch(client, url) == CONTENT
        assert ranges(server)[:2] == [None, f"bytes={HALF}-"]

    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_fault_that_stays_is_an_error_in_the_end(
        self, server: Server, client: HttpClient, fault: str, pauses: list[float]
    ) -> None:
        url = server.script(PATH, FAULTS[fault](CONTENT))
        if fault in self.BRINGS_A_PIECE:
            assert fetch(client, url) == CONTENT
        else:
            error = failure(client, url)
            assert (error.url, error.attempts) == (url, 1 if "redirect" in fault else ATTEMPTS)
            assert "\n" not in str(error)
            assert len(str(error)) < 250
        assert len(pauses) <= 20

    def test_what_has_arrived_is_not_asked_for_again(
        self, server: Server, client: HttpClient
    ) -> None:
        url = server.script(PATH, cut(CONTENT, 1000), reset(CONTENT, 500), file(CONTENT))
        assert fetch(client, url) == CONTENT
        first, second, third = server.requests
        assert (first.headers.get("range"), second.headers["range"]) == (None, "bytes=1000-")
        # What was read into a buffer goes with the connection that breaks.
        assert third.headers["range"] in {"bytes=1000-", "bytes=1500-"}
        assert second.headers["if-range"] == third.headers["if-range"] == '"1"'

    def test_a_weak_tag_is_no_condition(self, server: Server, client: HttpClient) -> None:
        tag = 'W/"1"'
        url = server.script(PATH, cut(CONTENT, 1000, etag=tag), without_ranges(CONTENT, ETag=tag))
        assert fetch(client, url) == CONTENT
        assert "if-range" not in server.requests[1].headers

    def test_a_server_without_ranges_sends_again_what_is_passed_over(
        self, server: Server, client: HttpClient
    ) -> None:
        url = server.script(PATH, cut(CONTENT, HALF, etag=None), without_ranges(CONTENT))
        assert fetch(client, url) == CONTENT

    def test_progress_makes_patience_new(self, server: Server, client: HttpClient) -> None:
        cuts = [cut(CONTENT, SIZE // 20)] * 19
        assert fetch(client, server.script(PATH, *cuts, file(CONTENT))) == CONTENT
        assert len(server.requests) == 20

    def test_where_new_connections_help_the_next_silence_is_given_up_sooner(
        self, server: Server, client: HttpClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a connection that was kept, too."""
        monkeypatch.setattr("executor.sources.retries.IDLE_SECONDS", 1.6)
        monkeypatch.setattr("executor.sources.retries._LEAST_IDLE_SECONDS", 0.2)
        server.script("/good", file(CONTENT))
        began = time.monotonic()
        for number in range(10):
            url = server.script(f"/{number}", stalled(CONTENT, HALF), file(CONTENT))
            assert fetch(client, url) == CONTENT
            assert fetch(client, f"{server.origin}/good") == CONTENT
        # Ten times as long as the first time would be 16 seconds.
        assert 1.6 < time.monotonic() - began < 15
        assert len({request.connection for request in server.requests}) < 20

    def test_a_body_without_length_is_complete_where_the_lock_says_so(
        self, server: Server, client: HttpClient
    ) -> None:
        url = server.script(PATH, unsized(CONTENT[:1000]), without_ranges(CONTENT))
        assert fetch(client, url) == CONTENT
        assert ranges(server) == [None, "bytes=1000-"]

    def test_a_length_that_is_too_short_is_not_believed_against_the_lock(
        self, server: Server, client: HttpClient
    ) -> None:
        error = failure(client, server.script(PATH, without_ranges(CONTENT[:1000])))
        assert str(error) == (
            f"{server.origin}{PATH}: the body ended after 1000 of {SIZE} bytes (tried 5 times)"
        )

    def test_more_than_the_lock_says_is_passed_on_for_its_check(
        self, server: Server, client: HttpClient
    ) -> None:
        assert fetch(client, server.script(PATH, file(CONTENT)), SIZE - 1) == CONTENT

    def test_a_file_that_is_replaced_meanwhile_is_not_pieced_together(
        self, server: Server, client: HttpClient
    ) -> None:
        replaced = file(CONTENT, etag='"2"')
        error = failure(client, server.script(PATH, cut(CONTENT, HALF), replaced))
        assert str(error) == f"{error.url}: the file was replaced while it was being read"
        assert isinstance(error, Replaced)
        assert "run it again" in error.hint

    @pytest.mark.parametrize(
        ("first", "then"), [(None, '"1"'), ('"1"', None)], ids=["no tag yet", "no tag any more"]
    )
    def test_a_missing_tag_is_no_sign_of_another_file(
        self, server: Server, client: HttpClient, first: str | None, then: str | None
    ) -> None:
        answers = [cut(CONTENT, HALF, etag=first), without_ranges(CONTENT, **_tag(then))]
        assert fetch(client, server.script(PATH, *answers)) == CONTENT

    def test_a_part_that_was_not_asked_for_is_not_taken(
        self, server: Server, client: HttpClient
    ) -> None:
        error = failure(client, server.script(PATH, cut(CONTENT, HALF), wrong_range(CONTENT, -1)))
        assert error.reason == f"the server sent other bytes than those requested, from {HALF} on"

    def test_the_last_fault_is_told_with_the_number_of_attempts(
        self, server: Server, client: HttpClient
    ) -> None:
        error = failure(client, server.script(PATH, cut(CONTENT, 1000), reset(CONTENT, -1)))
        assert str(error) == (
            f"{server.origin}{PATH}: Connection reset by peer (tried {ATTEMPTS} times)"
        )
        assert len(server.requests) == ATTEMPTS


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSYS])
def test_a_fault_of_this_machine_is_not_tried_again(
    server: Server, client: HttpClient, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    tried: list[object] = []

    def refused(*_: object, **__: object) -> NoReturn:
        tried.append(None)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("executor.sources.dialing.socket.socket", refused)
    with pytest.raises(OSError, match=os.strerror(number)):
        fetch(client, server.script(PATH, file(CONTENT)))
    assert len(tried) == 1


class TestDrips:
    """A server may be slow anywhere."""

    @pytest.fixture(autouse=True)
    def _impatience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("executor.sources.retries._PACE_SECONDS", 0.1)

    @pytest.mark.parametrize(
        ("before", "piece"),
        [
            (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"y"),
        ],
        ids=["interim responses", "head", "size of a chunk", "body"],
    )
    def test_it_is_told(
        self, server: Server, client: HttpClient, before: bytes, piece: bytes
    ) -> None:
        error = failure(client, server.script(PATH, trickling(before, piece, 0.05)))
        assert error.reason == "it sends fewer than 1000 bytes a second"
        assert error.attempts == ATTEMPTS

    def test_the_next_attempt_may_be_better(self, server: Server, client: HttpClient) -> None:
        slow = trickling(b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.05)
        assert fetch(client, server.script(PATH, slow, file(CONTENT))) == CONTENT

    def test_what_has_come_by_then_counts(self, server: Server, client: HttpClient) -> None:
        url = server.script(PATH, dripping(CONTENT, 0.05), file(CONTENT))
        assert fetch(client, url) == CONTENT
        (again,) = [value for value in ranges(server) if value]
        assert re.fullmatch(r"bytes=\d+-", again)

    def test_a_head_without_end_is_told_however_fast_it_comes(
        self, server: Server, client: HttpClient
    ) -> None:
        interim = b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 60_000 + b"\r\n\r\n"
        error = failure(client, server.script(PATH, trickling(b"", interim, 0.0)))
        assert error.reason == "the head of its response does not end"


class TestPauses:
    def test_they_grow(self, server: Server, client: HttpClient, pauses: list[float]) -> None:
        failure(client, server.script(PATH, status(503)))
        assert len(pauses) == ATTEMPTS - 1
        assert all(0 < pause <= 8 for pause in pauses)
        assert pauses == sorted(pauses)

    @pytest.mark.parametrize(
        ("asked", "made"), [("2", 2.0), ("0", 0.0), ("120", 120.0)], ids=["2 s", "0 s", "120 s"]
    )
    @pytest.mark.parametrize("code", [429, 503])
    def test_they_are_as_long_as_the_server_asks_within_reason(
        self,
        server: Server,
        client: HttpClient,
        pauses: list[float],
        asked: str,
        made: float,
        code: int,
    ) -> None:
        url = server.script(PATH, status(code, {"Retry-After": asked}), file(CONTENT))
        assert fetch(client, url) == CONTENT
        assert pauses == [made]

    def test_a_server_that_asks_for_too_long_a_pause_is_given_up_at_once(
        self, server: Server, client: HttpClient, pauses: list[float]
    ) -> None:
        error = failure(client, server.script(PATH, status(429, {"Retry-After": "3600"})))
        assert error.reason.endswith(", and asks to come back in 3600 seconds")
        assert error.hint.startswith("run it again after that time, or ")
        assert error.attempts == 1
        assert not pauses

    def test_no_file_waits_longer_in_all(
        self, server: Server, client: HttpClient, pauses: list[float]
    ) -> None:
        error = failure(client, server.script(PATH, status(503, {"Retry-After": "100"})))
        assert pauses == [100.0, 100.0]
        assert error.attempts == 3
        assert "after that time" not in error.hint

    @pytest.mark.parametrize("asked", ["soon", "-1", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT", "²"])
    def test_a_wish_that_is_no_number_is_none(
        self, server: Server, client: HttpClient, pauses: list[float], asked: str
    ) -> None:
        url = server.script(PATH, status(503, {"Retry-After": asked}), file(CONTENT))
        assert fetch(client, url) == CONTENT
        assert len(pauses) == 1
        assert pauses[0] < 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "hint"),
        [
            (204, "check the address"),
            (400, "check the address"),
            (401, "give credentials for its host"),
            (403, "the credentials for its host do not allow it"),
            (404, "lock again"),
            (407, "write its login, user:password@"),
            (410, "check the address"),
        ],
    )
    def test_an_answer_for_good_is_told_at_once(
        self, server: Server, client: HttpClient, pauses: list[float], code: int, hint: str
    ) -> None:
        error = failure(client, server.script(PATH, status(code, body=b"")))
        assert re.fullmatch(rf"http://\S+: the server answered {code} [\w ]+", str(error))
        assert hint in error.hint
        assert pauses == []

    def test_what_a_server_says_is_one_short_line_without_control_characters(
        self, server: Server, client: HttpClient
    ) -> None:
        answer = raw(b"HTTP/1.1 418 \x1b[2J" + b"a" * 5000 + b"\r\nContent-Length: 0\r\n\r\n")
        message = str(failure(client, server.script(PATH, answer)))
        assert message.isprintable()
        assert len(message) < 250

    def test_a_server_that_is_not_there_is_told(self, pauses: list[float]) -> None:
        with Server() as server:
            url = server.origin + PATH
        assert str(failure(HttpClient(), url)) == f"{url}: Connection refused (tried 5 times)"
        assert len(pauses) == ATTEMPTS - 1

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:abc/x?secret",
            "http://127.0.0.1:99999/x?secret",
            "http://:80/x?secret",
            "http:///x?secret",
            "http://" + "a" * 70 + ".example/x?secret",
            "http://\u2100.example/x?secret",
        ],
    )
    def test_a_malformed_url_is_told_without_asking_twice(
        self, url: str, pauses: list[float]
    ) -> None:
        try:
            error = failure(HttpClient(), url)
        except ValueError:
            pytest.fail("not translated")
        assert "malformed" in str(error)
        assert "secret" not in str(error)
        assert pauses == []


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class TestBytesOfNoUse:
    """What a server sends around a file counts as silence, and has a limit."""

    HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"

    def endless(self, before: bytes, piece: bytes) -> Answer:
        def answer(_request: Request, connection: Connection) -> None:
            with suppress(OSError):
                connection.send(self.HEAD + before)
                while True:
                    connection.send(piece)

        return answer

    def test_trailers_without_end_do_not_keep_a_complete_file_waiting(
        self, server: Server, client: HttpClient
    ) -> None:
        before = b"\r\n" + chunk(CONTENT) + b"0\r\n"
        url = server.script(PATH, self.endless(before, b"X: y\r\n" * 1000))
        assert fetch(client, url) == CONTENT

    def test_a_body_that_goes_on_after_the_file_is_seen(
        self, server: Server, client: HttpClient
    ) -> None:
        url = server.script(PATH, chunked(CONTENT + b"more"))
        assert len(fetch(client, url)) > SIZE

    @pytest.mark.parametrize(
        ("before", "piece", "problem"),
        [
            pytest.param(
                b"Content-Encoding: gzip\r\n\r\n" + chunk(gzip.compress(CONTENT[:10])),
                chunk(bytes(65536)),
                "bytes follow the end of its gzip encoding",
                id="after a gzip body",
            ),
            pytest.param(
                b"Content-Encoding: gzip\r\n\r\n" + chunk(gzip.compress(b"")[:10]),
                chunk(b"\x00\x00\x00\xff\xff" * 13000),
                "it sends more around the file than of it",
                id="empty gzip blocks",
            ),
            pytest.param(
                b"Content-Encoding: gzip\r\n\r\n" + chunk(gzip.compress(CONTENT[:10])),
                chunk(gzip.compress(b"") * 3000),
                "it sends more around the file than of it",
                id="empty gzip members",
            ),
            pytest.param(
                b"\r\n",
                b"1;" + b"e" * 60000 + b"\r\nx\r\n",
                "it sends more around the file than of it",
                id="chunk extensions",
            ),
        ],
    )
    def test_is_given_up(
        self, server: Server, client: HttpClient, before: bytes, piece: bytes, problem: str
    ) -> None:
        url = server.script(PATH, *[self.endless(before, piece)] * ATTEMPTS)
        assert problem in str(failure(client, url))
