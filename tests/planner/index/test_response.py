"""What a status of a server means."""

from __future__ import annotations

import gzip

import httpx
import pytest

from planner.index.errors import FileMissing, IndexAnswer, IndexDenied
from planner.index.response import (
    CHUNK_SIZE,
    check_file,
    check_status,
    following,
    iterate_body,
    reason_of,
    refuses_kind,
    retry_after,
)

URL = "https://index.example/x?token=secret"


def response(status: int, **more: object) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", URL), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [200, 204, 206])
def test_a_success_is_not_an_error(status: int) -> None:
    check_status(response(status))
    check_file(response(status))


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
    found = response(302)
    found.next_request = httpx.Request("GET", "https://other.example/")
    assert following(URL, found) is found.next_request
    found.next_request = httpx.Request("GET", "http://other.example/?token=secret")
    with pytest.raises(IndexAnswer) as caught:
        following(URL, found)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), "Connection refused"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "Name or service not known"),
        (httpx.ReadTimeout("The read operation timed out"), "no answer in time"),
        (httpx.ReadError(""), "ReadError"),
    ],
)
def test_an_error_of_a_connection_has_a_reason(error: httpx.TransportError, reason: str) -> None:
    assert reason_of(error) == reason


def body(content: bytes, encoding: str = "") -> httpx.Response:
    headers = {"Content-Encoding": encoding} if encoding else {}
    return response(200, stream=httpx.ByteStream(content), headers=headers)


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


@pytest.mark.parametrize("encoding", ["zstd", "br", "deflate", "gzip, gzip", "\x1b[2J"])
def test_an_encoding_that_was_not_accepted_is_refused(encoding: str) -> None:
    with pytest.raises(IndexAnswer, match="was not accepted"):
        list(iterate_body(body(b"", encoding), 10))


def test_a_damaged_or_cut_encoding_is_an_error() -> None:
    with pytest.raises(IndexAnswer, match="damaged"):
        list(iterate_body(body(b"not gzip", "gzip"), 100))
    with pytest.raises(httpx.ReadError, match="too early"):
        list(iterate_body(body(gzip.compress(b"x" * 100)[:-9], "gzip"), 100))


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_a_pause_is_read_in_seconds(value: str, seconds: float | None) -> None:
    assert retry_after(response(503, headers={"Retry-After": value})) == seconds
