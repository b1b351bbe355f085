"""A file is stored whole, once, where the server says, or it is said why not."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from helpers.put_server import PutServer, put_server
from planner.index.client import IndexClient
from planner.index.errors import IndexAnswer, IndexDenied, IndexUnreachable
from planner.index.requester import ATTEMPTS
from planner.index.upload import Upload

CONTENT = bytes(range(256)) * 4096


@pytest.fixture(name="server")
def _server() -> Iterator[PutServer]:
    with put_server() as running:
        yield running


def put(client: IndexClient, url: str, content: bytes = CONTENT) -> bool:
    return client.upload(url, Upload.of(io.BytesIO(content)))


def test_all_bytes_arrive(client: IndexClient, server: PutServer) -> None:
    assert put(client, f"{server.url}/a")
    assert put(client, f"{server.url}/empty", b"")
    assert server.files == {"/a": CONTENT, "/empty": b""}


def test_a_file_that_is_there_is_kept(client: IndexClient, server: PutServer) -> None:
    assert put(client, f"{server.url}/a")
    assert not put(client, f"{server.url}/a", b"other")
    assert server.files == {"/a": CONTENT}


@pytest.mark.parametrize("status", [503, 429, 409])
def test_each_attempt_sends_all_of_it(client: IndexClient, server: PutServer, status: int) -> None:
    server.answers = [status, status]
    assert put(client, f"{server.url}/a")
    assert server.files == {"/a": CONTENT}
    assert len(server.puts()) == 3


def test_a_server_that_keeps_failing_is_given_up(client: IndexClient, server: PutServer) -> None:
    server.answers = [503] * ATTEMPTS
    with pytest.raises(IndexUnreachable, match="503"):
        put(client, f"{server.url}/a")
    assert not server.files


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_takes_the_file_along(
    client: IndexClient, server: PutServer, status: int
) -> None:
    server.answers, server.location = [status], "/b"
    assert put(client, f"{server.url}/a")
    assert server.files == {"/b": CONTENT}


@pytest.mark.parametrize("status", [302, 303])
def test_a_redirect_to_a_page_is_an_error(
    client: IndexClient, server: PutServer, status: int
) -> None:
    server.answers, server.location = [status], "/login"
    with pytest.raises(IndexAnswer, match="it answers PUT with a page"):
        put(client, f"{server.url}/a")
    assert server.seen == ["PUT /a"]


def test_credentials_that_are_missing_are_an_error(client: IndexClient, server: PutServer) -> None:
    server.login = "user:word"
    with pytest.raises(IndexDenied, match="401"):
        put(client, f"{server.url}/a")
    assert put(client, server.url.replace("://", "://user:word@") + "/a")
    assert server.files == {"/a": CONTENT}
