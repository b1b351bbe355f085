"""A body is the file, whatever the server calls it, or an error says what it is."""

from __future__ import annotations

import gzip
from typing import cast

import pytest

from executor.sources.body import read_body
from executor.sources.client import HttpClient
from executor.sources.response import PacedResponse
from executor.sources.retries import Pace, Retryable
from helpers.answer_bytes import AnswerBytes
from helpers.downloads import CONTENT, HALF, PATH, failure, fetch
from helpers.servers import (
    Server,
    cut,
    file,
    status,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

pytestmark = pytest.mark.usefixtures("plain_surroundings", "pauses")


class Silent(AnswerBytes):
    """A connection that times out after its bytes."""

    def recv(self, most: int) -> bytes:
        if data := super().recv(most):
            return data
        raise TimeoutError


def test_a_silence_is_waited_for_once_also_after_bytes() -> None:
    sock = Silent(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123")
    response = PacedResponse(Pace(9e9, 15.0), cast("socket.socket", sock))
    response.begin()
    chunks = read_body(response, decode=False)
    assert next(chunks) == b"123"
    received = sock.received
    with pytest.raises(Retryable, match="no answer in time"):
        next(chunks)
    assert sock.received == received


class TestEncodings:
    @pytest.mark.parametrize(
        "coding", ["aws-chunked", "binary", "utf-8", "", "identity", "none, identity"]
    )
    def test_what_is_no_compression_says_nothing(
        self, server: Server, client: HttpClient, coding: str
    ) -> None:
        headers = {"Content-Encoding": coding}
        assert fetch(client, server.script(PATH, status(200, headers, CONTENT)), None) == CONTENT

    @pytest.mark.parametrize("coding", ["gzip", "x-gzip", "br"])
    def test_a_body_of_the_size_of_the_file_is_the_file(
        self, server: Server, client: HttpClient, coding: str
    ) -> None:
        # Servers say so of all files whose names end with .gz.
        headers = {"Content-Encoding": coding}
        assert fetch(client, server.script(PATH, status(200, headers, CONTENT))) == CONTENT

    @pytest.mark.parametrize("coding", ["br", "ZSTD", "gzip, gzip", "aws-chunked, deflate"])
    def test_another_compression_is_told(
        self, server: Server, client: HttpClient, coding: str
    ) -> None:
        url = server.script(PATH, status(200, {"Content-Encoding": coding}, b"packed"))
        assert failure(client, url).reason.startswith(f"the server sent it encoded as {coding!r}")

    def test_gzip_beside_what_is_no_compression_is_undone(
        self, server: Server, client: HttpClient
    ) -> None:
        headers = {"Content-Encoding": "aws-chunked, GZIP"}
        packed = gzip.compress(CONTENT)
        assert fetch(client, server.script(PATH, status(200, headers, packed))) == CONTENT

    def test_a_partial_response_that_nobody_asked_for_and_names_no_part_is_the_file(
        self, server: Server, client: HttpClient
    ) -> None:
        assert fetch(client, server.script(PATH, status(206, body=CONTENT))) == CONTENT


class TestPages:
    PAGE = b"<!DOCTYPE html><title>Sign in</title>"
    TYPES = pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/xhtml+xml"])

    @TYPES
    @pytest.mark.parametrize("begin", [b"PK\x03\x04", b"\x1f\x8b"], ids=["zip", "gzip"])
    def test_a_server_that_calls_all_files_pages_serves_archives(
        self, server: Server, client: HttpClient, kind: str, begin: bytes
    ) -> None:
        content = begin + CONTENT
        url = server.script(PATH, status(200, {"Content-Type": kind}, content))
        assert fetch(client, url, len(content)) == content

    def test_it_may_break_off(self, server: Server, client: HttpClient) -> None:
        content = b"PK\x03\x04" + CONTENT
        page = file(content, headers={"Content-Type": "text/html"})
        url = server.script(PATH, cut(content, HALF), page)
        assert fetch(client, url, len(content)) == content

    @TYPES
    @pytest.mark.parametrize("body", [PAGE, b"PK is not all of it", b""])
    def test_a_page_in_the_place_of_a_file_is_told(
        self, server: Server, client: HttpClient, kind: str, body: bytes
    ) -> None:
        error = failure(client, server.script(PATH, status(200, {"Content-Type": kind}, body)))
        assert error.reason == f"the server answered with a web page ({kind.partition(';')[0]})"
        assert "sign-in" in error.hint
