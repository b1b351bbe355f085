"""A head means one thing, and where a body ends is not a matter of opinion; else it is an error."""

from __future__ import annotations

import pytest

from executor.sources.http1 import (
    MAX_HEAD,
    MAX_HEADERS,
    MAX_LINE,
    Body,
    HttpError,
    body_of,
    check_begun,
    chunk_size,
    end_of_head,
    read_head,
    request_head,
)

OK = b"HTTP/1.1 200 OK\r\n"


def headers(*lines: str) -> dict[str, str]:
    return read_head(OK + "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n")[3]


def body(*lines: str, status: str = "HTTP/1.1 200 OK", method: str = "GET") -> Body:
    return body_of(read_head("\r\n".join([status, *lines, "", ""]).encode()), method)


class TestHeads:
    @pytest.mark.parametrize(
        ("line", "status", "reason"),
        [
            (b"HTTP/1.1 200 OK", 200, "OK"),
            (b"HTTP/1.1 404 Not  Found \t", 404, "Not  Found"),
            (b"HTTP/1.1 200", 200, ""),
            (b"HTTP/1.1 200 ", 200, ""),
            (b"HTTP/1.1  200 OK", 200, "OK"),
            (b"HTTP/1.0 999 \xe4", 999, "\xe4"),
            (b"HTTP/0.9 200 OK", 200, "OK"),
        ],
    )
    def test_a_status_line_is_read(self, line: bytes, status: int, reason: str) -> None:
        assert read_head(line + b"\r\n\r\n")[1:3] == (status, reason)

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            (b"", "its answer is not HTTP: "),
            (b"SSH-2.0-x", "its answer is not HTTP: SSH-2.0-x"),
            (b"<html>\x1b[2J", "its answer is not HTTP: <html>\N{REPLACEMENT CHARACTER}[2J"),
            (b"HTTP/2.0 200 OK", "its answer is not HTTP/1.1: HTTP/2.0 200 OK"),
            (b"HTTP/1.1", "its answer is not HTTP/1.1: HTTP/1.1"),
            (b"HTTP/1.1 20 OK", "its answer is not HTTP/1.1: HTTP/1.1 20 OK"),
            (b"HTTP/1.1 2000", "its answer is not HTTP/1.1: HTTP/1.1 2000"),
            (b"HTTP/1.1 099 X", "its answer is not HTTP/1.1: HTTP/1.1 099 X"),
            (b"HTTP/1.1 -20 X", "its answer is not HTTP/1.1: HTTP/1.1 -20 X"),
            (b"HTTP/1.1 2\xb20 X", "its answer is not HTTP/1.1: HTTP/1.1 2\xb20 X"),
        ],
    )
    def test_what_is_no_status_line_is_shown(self, line: bytes, problem: str) -> None:
        for read in (lambda: read_head(line + b"\r\n\r\n"), lambda: check_begun(line + b"\r\n")):
            with pytest.raises(HttpError) as caught:
                read()
            assert str(caught.value) == problem

    @pytest.mark.parametrize(
        ("begun", "problem"),
        [
            (
                b"\x15\x03\x01\0\2\2\x46",
                "the server speaks TLS at that port, which an https address asks for",
            ),
            (b"\0\0\x12\x04\0\0\0\0\0\0\3", "the server speaks only HTTP/2 at that port"),
            (b"220 hello", "its answer is not HTTP: 220 hello"),
        ],
    )
    def test_what_another_protocol_begins_with_is_told_before_a_line_is_whole(
        self, begun: bytes, problem: str
    ) -> None:
        with pytest.raises(HttpError) as caught:
            check_begun(begun)
        assert str(caught.value) == problem

    @pytest.mark.parametrize("begun", [b"", b"H", b"HTTP/", b"HTTP/1.1 200", b"\x15\x03\x01"])
    def test_the_beginning_of_a_status_line_is_no_error(self, begun: bytes) -> None:
        check_begun(begun)

    def test_headers_have_names_in_lower_case_and_values_without_space(self) -> None:
        assert headers('ETag:\t"1" ', "X-Y:z", "empty:") == {
            "etag": '"1"',
            "x-y": "z",
            "empty": "",
        }

    def test_a_header_that_comes_twice_is_a_list(self) -> None:
        assert headers("A: 1", "B: 2", "a: 3") == {"a": "1, 3", "b": "2"}

    def test_a_folded_header_is_one_line(self) -> None:
        assert headers("A: 1", "\t2", "  3 ", "B: 4") == {"a": "1 2 3", "b": "4"}
        assert headers("A: 1", "A:", " 2", " ") == {"a": "1, 2"}

    def test_lines_may_end_with_a_line_feed_alone(self) -> None:
        assert read_head(b"HTTP/1.1 200 OK\nA: b\nC: d\r\n\n")[1:] == (
            200,
            "OK",
            {"a": "b", "c": "d"},
        )

    @pytest.mark.parametrize(
        "line",
        [
            "no colon", ": no name", "a b: c", "a : b", "\xe4: b", "a\0: b", "a: b\0c", "a: b\rc",
            " folded", "(a): b", "From x", "a: " + "x" * MAX_LINE,
        ],
    )  # fmt: skip
    def test_a_line_that_is_no_header_is_an_error(self, line: str) -> None:
        with pytest.raises(HttpError, match=r"^a header of its answer is malformed: "):
            headers(line)

    def test_headers_are_limited(self) -> None:
        assert headers(*["a: b"] * MAX_HEADERS)
        with pytest.raises(HttpError, match=f"more than {MAX_HEADERS} headers"):
            headers(*["a: b"] * (MAX_HEADERS + 1))

    @pytest.mark.parametrize(
        "begun",
        [b"HTTP/".ljust(MAX_LINE, b"x"), OK + b"a: b\r\n" * (MAX_HEAD // 6)],
        ids=["a line", "headers"],
    )
    def test_what_does_not_end_is_an_error(self, begun: bytes) -> None:
        check_begun(begun[: MAX_LINE - 1])
        with pytest.raises(HttpError, match=r"^the head of its answer is too long$"):
            check_begun(begun)
        with pytest.raises(HttpError, match=r"^the head of its answer is too long$"):
            read_head(begun + b"\r\n\r\n")

    @pytest.mark.parametrize(
        ("data", "end"),
        [
            (b"", -1), (b"a\r\n", -1), (b"a\r\n\r", -1), (b"a\r\n\r\n", 5), (b"a\n\n", 3),
            (b"a\n\r\n", 4), (b"a\n\n\r\n", 3), (b"a\r\n\r\n\n\n", 5), (b"a\n\nb\r\n\r\n", 3),
        ],
    )  # fmt: skip
    def test_it_ends_with_the_first_empty_line(self, data: bytes, end: int) -> None:
        assert end_of_head(data) == end
        assert end_of_head(bytearray(data)) == end

    @pytest.mark.parametrize(
        ("status", "is_interim"),
        [(100, True), (103, True), (199, True), (101, False), (200, False)],
    )
    def test_another_response_follows_an_interim_one(self, status: int, is_interim: bool) -> None:
        assert read_head(b"HTTP/1.1 %d X\r\n\r\n" % status).is_interim is is_interim


class TestBodies:
    @pytest.mark.parametrize(
        ("lines", "found"),
        [
            (["Content-Length: 5"], Body(5, False, False)),
            (["Content-Length: 5", "Content-Length: 5"], Body(5, False, False)),
            (["Content-Length: 5, 5"], Body(5, False, False)),
            (["Content-Length: 5", "Connection: close"], Body(5, False, True)),
            (["Content-Length: 5", "Connection: x, CLOSE"], Body(5, False, True)),
            (["Content-Length: 5", "Connection: closed"], Body(5, False, False)),
            (["Transfer-Encoding: Chunked"], Body(None, True, False)),
            (["Transfer-Encoding: identity", "Content-Length: 5"], Body(5, False, False)),
            (["Transfer-Encoding: chunked", "Content-Length: x"], Body(None, True, True)),
            ([], Body(None, False, True)),
        ],
    )
    def test_it_has_a_length_or_chunks_or_ends_with_the_connection(
        self, lines: list[str], found: Body
    ) -> None:
        assert body(*lines) == found

    @pytest.mark.parametrize(
        ("line", "will_close"),
        [
            ("X: y", True),
            ("Connection: keep-alive", False),
            ("Connection: keep-alive, close", True),
        ],
    )
    def test_an_old_server_keeps_the_connection_if_it_says_so(
        self, line: str, will_close: bool
    ) -> None:
        assert body(line, "Content-Length: 0", status="HTTP/1.0 200 OK") == (0, False, will_close)

    def test_an_old_server_that_sends_chunks_is_not_asked_again(self) -> None:
        lines = ["Transfer-Encoding: chunked", "Connection: keep-alive"]
        assert body(*lines, status="HTTP/1.0 200 OK") == (None, True, True)

    @pytest.mark.parametrize("status", ["HTTP/1.1 204 X", "HTTP/1.1 304 X"])
    def test_some_statuses_have_none(self, status: str) -> None:
        for line in ("Content-Length: 5", "Transfer-Encoding: chunked", "X: y"):
            assert body(line, status=status) == (0, False, False)

    def test_the_answer_to_a_question_for_the_head_has_none(self) -> None:
        assert body("Content-Length: 5", method="HEAD") == (0, False, False)

    def test_nothing_is_read_after_a_change_of_protocol(self) -> None:
        assert body("Content-Length: 5", status="HTTP/1.1 101 X") == (0, False, True)

    @pytest.mark.parametrize(
        "length", ["", "-1", "+5", "5 5", "1_0", "0x5", "x", "5, 7", "5,", "9" * 16, "\xb2", "5;"]
    )
    def test_a_length_that_is_none_is_an_error(self, length: str) -> None:
        with pytest.raises(HttpError, match=r"^the length of its answer is malformed: "):
            body_of(read_head(OK + f"Content-Length: {length}\r\n\r\n".encode("latin-1")), "GET")

    def test_two_lengths_are_an_error(self) -> None:
        with pytest.raises(HttpError) as caught:
            body("Content-Length: 5", "Content-Length: 7")
        assert str(caught.value) == "the length of its answer is malformed: 5, 7"

    @pytest.mark.parametrize("coding", ["gzip, chunked", "chunked, chunked", "gzip", "", "x"])
    def test_another_transfer_coding_is_an_error(self, coding: str) -> None:
        with pytest.raises(HttpError, match=r"^the transfer coding of its answer is malformed: "):
            body(f"Transfer-Encoding: {coding}")

    @pytest.mark.parametrize(
        ("line", "size"),
        [(b"0\r\n", 0), (b"1F\r\n", 31), (b"a\n", 10), (b"5;x=y\r\n", 5), (b"5 ; x\r\n", 5)],
    )
    def test_a_chunk_has_a_size(self, line: bytes, size: int) -> None:
        assert chunk_size(line) == size

    @pytest.mark.parametrize(
        "line", [b"", b"\r\n", b"5", b"-5\r\n", b"+5\r\n", b"0x5\r\n", b"5_0\r\n", b"g\r\n",
                 b"\xb2\r\n", b"f" * 16 + b"\r\n", b"5 5\r\n", b";x\r\n"],
    )  # fmt: skip
    def test_a_chunk_without_a_size_is_an_error(self, line: bytes) -> None:
        with pytest.raises(HttpError, match=r"^a chunk of its answer is malformed: "):
            chunk_size(line)


class TestRequests:
    def test_a_request_is_its_line_and_its_headers(self) -> None:
        assert request_head("GET", "/x?y", {"Host": "a.example", "X": "\xe4"}) == (
            b"GET /x?y HTTP/1.1\r\nHost: a.example\r\nX: \xe4\r\n\r\n"
        )

    @pytest.mark.parametrize("target", ["", "/a b", "/a\r\nX: y", "/\0", "/\x7f", "/\xe4"])
    def test_a_target_is_one_word(self, target: str) -> None:
        with pytest.raises(ValueError, match="a space or a line break"):
            request_head("GET", target, {})

    @pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "a\r\n b"])
    def test_a_header_is_one_line(self, value: str) -> None:
        for more in ({"X": value}, {value: "x"}):
            with pytest.raises(ValueError, match="a space or a line break"):
                request_head("GET", "/", more)

    def test_what_is_no_latin_is_an_error(self) -> None:
        with pytest.raises(UnicodeError):
            request_head("GET", "/", {"X": "\N{EURO SIGN}"})
