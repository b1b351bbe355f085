"""A response is read whole, however it arrives, and held to its own length; errors are shown."""

from __future__ import annotations

import errno
from typing import cast

import pytest

from executor.sources.http1 import MAX_HEADERS, MAX_LINE, HttpError
from executor.sources.response import PacedResponse, reason_of
from executor.sources.retries import Pace
from helpers.answer_bytes import AnswerBytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

OK = b"HTTP/1.1 200 OK\r\n"
SIZED = OK + b"Content-Length: 5\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PIECES = [1, 2, 3, 7, 1 << 20]


def answered(content: bytes, piece: int = 1 << 20, method: str = "GET") -> PacedResponse:
    sock = cast("socket.socket", AnswerBytes(content, piece=piece))
    response = PacedResponse(Pace(9e9, 15.0), sock, method)
    response.begin()
    return response


def read(response: PacedResponse, most: int = 1 << 20) -> bytes:
    return b"".join(iter(lambda: response.read1(most), b""))


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("most", [1, 3, 1 << 20])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(SIZED + b"12345", id="of a length"),
        pytest.param(OK + b"\r\n12345", id="to the end"),
        pytest.param(CHUNKED + b"5\r\n12345\r\n0\r\n\r\n", id="one chunk"),
        pytest.param(CHUNKED + b"2;x=y\r\n12\r\n03\n345\n0\r\nA: b\r\n\r\n", id="several chunks"),
        pytest.param(CHUNKED + b"5\r\n12345\r\n0\r\n", id="chunks without an end of trailers"),
        pytest.param(
            OK + b"Transfer-Encoding: chunked \t\r\n\r\n5\r\n12345\r\n0\r\n\r\n", id="blanks"
        ),
        pytest.param(b"HTTP/1.1 103 X\r\nA: b\r\n\r\n" * 3 + SIZED + b"12345", id="after others"),
    ],
)
def test_a_body_is_read_as_it_arrives(content: bytes, piece: int, most: int) -> None:
    response = answered(content, piece)
    assert read(response, most) == b"12345"
    assert response.is_complete


@pytest.mark.parametrize("piece", PIECES)
def test_an_answer_without_a_body_is_complete_with_its_head(piece: int) -> None:
    for status in (b"204 X", b"304 X"):
        response = answered(b"HTTP/1.1 " + status + b"\r\n\r\n", piece)
        assert response.is_complete
        assert not response.will_close
    assert answered(SIZED, piece, "HEAD").is_complete


@pytest.mark.parametrize("content", [SIZED + b"12345", CHUNKED + b"5\r\n12345\r\n0\r\n\r\n"])
@pytest.mark.parametrize(("more", "will_close"), [(b"", False), (b"HTTP/1.1 200 OK", True)])
def test_what_follows_an_answer_is_not_the_next_one(
    content: bytes, more: bytes, will_close: bool
) -> None:
    response = answered(content + more)
    assert read(response) == b"12345"
    assert response.will_close is will_close


def test_a_body_that_ends_early_leaves_a_length() -> None:
    response = answered(SIZED + b"123")
    assert read(response) == b"123"
    assert (response.length, response.will_close) == (2, True)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the server closed the connection without an answer"),
        (OK, "the server closed the connection in the head of its answer"),
        (OK + b"A: b\r\n", "the server closed the connection in the head of its answer"),
        (b"\x16\x03\x01\n", "the server speaks TLS at that port, which an https address asks for"),
        (CHUNKED, "a chunk of its answer is malformed: "),
        (CHUNKED + b"5\r\n123", "the server closed the connection in a chunk of its answer"),
        (CHUNKED + b"5\r\n12345", "a chunk of its answer is malformed: "),
        (CHUNKED + b"5\r\n1234567\r\n", "a chunk of its answer is longer than it says"),
        (CHUNKED + b"0\r\n" + b"A: b\r\n" * 200, "the trailers of its answer do not end"),
    ],
)
def test_an_answer_that_is_none_is_an_error(content: bytes, problem: str, piece: int) -> None:
    with pytest.raises(HttpError) as caught:
        read(answered(content, piece))
    assert str(caught.value) == problem


@pytest.mark.parametrize("begun", [b"1;", b"0\r\nA: "], ids=["an extension", "a trailer"])
def test_a_line_around_chunks_is_limited(begun: bytes) -> None:
    with pytest.raises(HttpError, match=r"^a line between the chunks of its answer is too long$"):
        read(answered(CHUNKED + begun + b"x" * (2 * MAX_LINE)))


def test_as_many_trailers_as_headers_are_passed_over() -> None:
    assert read(answered(CHUNKED + b"0\r\n" + b"A: b\r\n" * MAX_HEADERS + b"\r\n")) == b""


def test_a_small_body_comes_with_its_head() -> None:
    sock = AnswerBytes(SIZED + b"12345")
    response = PacedResponse(Pace(9e9, 15.0), cast("socket.socket", sock))
    response.begin()
    assert read(response) == b"12345"
    assert sock.received == 1


@pytest.mark.parametrize("begun", [1, len(SIZED), len(SIZED) + 5])
def test_what_was_read_before_is_part_of_the_answer(begun: int) -> None:
    content = SIZED + b"12345"
    sock = cast("socket.socket", AnswerBytes(content[begun:]))
    response = PacedResponse(Pace(9e9, 15.0), sock, begun=content[:begun])
    response.begin()
    assert read(response) == b"12345"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError("timed out"), "no answer in time"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (OSError("plain"), "plain"),
        (OSError("\x00"), "\N{REPLACEMENT CHARACTER}"),
        (OSError(), "OSError"),
        (HttpError("its answer is not HTTP: " + "x" * 80), "its answer is not HTTP: " + "x" * 80),
    ],
)
def test_an_error_of_a_connection_has_a_reason(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason


class TlsError(OSError):
    """As ``ssl.SSLError``: ``reason`` is the name that OpenSSL has for it."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(1, "[SSL: CODE] as OpenSSL says it (_ssl.c:1006)")
        self.reason = reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("WRONG_VERSION_NUMBER", "the server does not speak TLS at that port"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "the server wants a client certificate"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "it may want a client certificate (SSL_CLIENT_CERT)"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "1.2 or newer"),
        ("UNSUPPORTED_PROTOCOL", "1.2 or newer"),
        ("TLSV1_UNRECOGNIZED_NAME", "does not know the name"),
        ("TLSV1_ALERT_UNKNOWN_CA", "does not trust the client certificate (SSL_CLIENT_CERT)"),
        ("BAD_RECORD", "[SSL: CODE] as OpenSSL says it (_ssl.c:1006)"),
        (None, "[SSL: CODE] as OpenSSL says it (_ssl.c:1006)"),
    ],
)
def test_what_ends_tls_is_told_in_words(name: str | None, reason: str) -> None:
    assert reason in reason_of(TlsError(name))
