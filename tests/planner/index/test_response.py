"""What a status of a server means."""

from __future__ import annotations

import gzip
import socket
from typing import cast

import pytest

from executor import Pace, PacedResponse, Retryable
from helpers.answer_bytes import AnswerBytes
from planner.index.errors import FileMissing, IndexAnswer, IndexDenied
from planner.index.response import (
    CHUNK_SIZE,
    Response,
    Unavailable,
    check_file,
    check_status,
    following,
    iterate_body,
    refuse_part,
    refuses_kind,
)

URL = "https://index.example/x?token=secret"


def answered(content: bytes) -> PacedResponse:
    return PacedResponse(Pace(9e9, 15.0), cast("socket.socket", AnswerBytes(content)))


def response(status: int, headers: str = "", content: bytes = b"", method: str = "GET") -> Response:
    head = f"HTTP/1.1 {status} Reason\r\n{headers}\r\n"
    raw = answered(head.encode() + content)
    raw.begin()
    return Response(method, URL, raw)


@pytest.mark.parametrize("status", [200, 203, 206])
def test_a_success_is_not_an_error(status: int) -> None:
    check_status(response(status))
    check_file(response(status))


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_an_upload_succeeds_in_several_ways(status: int) -> None:
    check_status(response(status, method="PUT"))


@pytest.mark.parametrize("status", [202, 204, 205])
def test_an_answer_without_the_document_is_no_empty_one(status: int) -> None:
    # A web application firewall answers 202 with nothing where it asks for a proof.
    for check in (check_status, check_file):
        with pytest.raises(IndexAnswer, match=f"the server answers {status}"):
            check(response(status))


@pytest.mark.parametrize("place", ["", "bytes 0-9/10", "bytes 0-9/*"])
def test_a_part_that_is_all_of_it_is_the_document(place: str) -> None:
    refuse_part(response(206, f"Content-Range: {place}\r\n" if place else ""))


@pytest.mark.parametrize("place", ["bytes 0-8/10", "bytes 1-9/10"])
def test_a_part_of_a_document_is_not_taken_for_it(place: str) -> None:
    with pytest.raises(IndexAnswer, match="a part that was not requested"):
        refuse_part(response(206, f"Content-Range: {place}\r\n"))


@pytest.mark.parametrize(
    ("status", "kind", "is_forbidden"),
    [(400, IndexAnswer, None), (401, IndexDenied, False), (403, IndexDenied, True)],
)
def test_a_refusal_is_an_error_without_secrets(
    status: int, kind: type[IndexAnswer], is_forbidden: bool | None
) -> None:
    with pytest.raises(kind) as caught:
        check_status(response(status))
    assert getattr(caught.value, "is_forbidden", None) is is_forbidden
    assert str(caught.value).startswith(f"https://index.example/x: the server answers {status} ")


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_missing(status: int) -> None:
    with pytest.raises(FileMissing):
        check_file(response(status))


@pytest.mark.parametrize(
    ("status", "refuses"),
    [
        (400, True), (403, True), (405, True), (406, True), (416, True), (501, True),
        (200, False), (206, False), (401, False), (404, False), (410, False), (429, False),
        (500, False), (503, False),
    ],
)  # fmt: skip
def test_head_and_ranges_are_refused_in_many_ways(status: int, refuses: bool) -> None:
    assert refuses_kind(response(status)) is refuses


def test_a_redirect_may_become_more_secure_and_not_less() -> None:
    found = response(302, "Location: https://other.example/\r\n")
    assert following(URL, found) == "https://other.example/"
    found = response(302, "Location: http://other.example/a?token=secret\r\n")
    with pytest.raises(IndexAnswer) as caught:
        following(URL, found)
    assert str(caught.value) == (
        "https://index.example/x: it redirects from https to http://other.example/a"
    )


@pytest.mark.parametrize(
    ("location", "there"),
    [
        ("y", "https://index.example/y"),
        ("/y z?q#f", "https://index.example/y%20z?q#f"),
        ("/%20\u00e4", "https://index.example/%20%C3%A4"),
        ("//other.example", "https://other.example"),
    ],
)
def test_a_redirect_is_relative_to_where_it_comes_from(location: str, there: str) -> None:
    assert following(URL, response(307, f"Location: {location}\r\n")) == there


def test_a_malformed_redirect_is_an_error() -> None:
    with pytest.raises(IndexAnswer):
        following(URL, response(302, "Location: https://[x/\r\n"))


@pytest.mark.parametrize(("status", "leads"), [(302, True), (304, False), (200, False)])
def test_only_some_statuses_redirect(status: int, leads: bool) -> None:
    assert (response(status, "Location: /y\r\n").location == "/y") is leads
    assert response(302).location is None


@pytest.mark.parametrize("status", [302, 303])
def test_an_upload_is_not_turned_into_a_page(status: int) -> None:
    with pytest.raises(IndexAnswer, match="it answers PUT with a page"):
        following(URL, response(status, "Location: /y\r\n", method="PUT"))
    assert following(URL, response(307, "Location: /y\r\n", method="PUT"))


def test_interim_responses_are_passed_over() -> None:
    raw = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    whole = raw + b"HTTP/1.1 404 Not Found\r\nX: y\r\n\r\n"
    found = answered(whole)
    found.begin()
    assert (found.status, found.headers["x"]) == (404, "y")


def test_a_header_that_comes_twice_is_a_list() -> None:
    found = response(200, "Cache-Control: no-store\r\ncache-control: max-age=5\r\n")
    assert found.headers["cache-control"] == "no-store, max-age=5"


def test_a_body_that_ends_early_is_not_whole() -> None:
    found = response(200, "Content-Length: 5\r\n", b"1234")
    with pytest.raises(Retryable, match="the body ended after 4 of 5 bytes"):
        list(found.body())
    with pytest.raises(Retryable):
        list(response(200, "Transfer-Encoding: chunked\r\n", b"5\r\n1234").body())


def body(content: bytes, encoding: str = "") -> Response:
    return response(200, f"Content-Encoding: {encoding}\r\n" if encoding else "", content)


def test_a_body_is_bounded() -> None:
    assert b"".join(iterate_body(body(b"12345"), 5)) == b"12345"
    with pytest.raises(IndexAnswer, match="more than 4 bytes"):
        list(iterate_body(body(b"12345"), 4))


def test_a_body_is_inflated_in_bounded_pieces() -> None:
    packed = gzip.compress(bytes(10_000_000))
    pieces = [len(piece) for piece in iterate_body(body(packed, "gzip"), 10_000_000)]
    assert sum(pieces) == 10_000_000
    assert max(pieces) <= CHUNK_SIZE
    with pytest.raises(IndexAnswer, match="more than 1000000 bytes"):
        list(iterate_body(body(packed, "x-gzip"), 1_000_000))


@pytest.mark.parametrize("encoding", ["zstd", "br", "deflate", "gzip, gzip"])
def test_an_encoding_that_was_not_accepted_is_refused(encoding: str) -> None:
    with pytest.raises(IndexAnswer, match="was not accepted"):
        list(iterate_body(body(b"", encoding), 10))


@pytest.mark.parametrize("encoding", ["identity", "aws-chunked", "binary", "\x1b[2J"])
def test_what_is_no_compression_says_nothing_of_a_body(encoding: str) -> None:
    assert b"".join(iterate_body(body(b"text", encoding), 10)) == b"text"


def test_a_damaged_or_cut_encoding_is_an_error() -> None:
    with pytest.raises(IndexAnswer, match="damaged"):
        list(iterate_body(body(b"not gzip", "gzip"), 100))
    with pytest.raises(Retryable, match="too early"):
        list(iterate_body(body(gzip.compress(b"x" * 100)[:-9], "gzip"), 100))


@pytest.mark.parametrize(
    ("value", "seconds", "asks"),
    [("7", 7.0, ""), ("", None, ""), ("600", 600.0, ", and asks to come back in 600 seconds")],
)
def test_a_server_that_is_busy_may_say_for_how_long(
    value: str, seconds: float | None, asks: str
) -> None:
    error = Unavailable(response(503, f"Retry-After: {value}\r\n"))
    assert error.pause == seconds
    assert str(error) == f"the server answers 503{asks}"
