"""A server that keeps a plan waiting is given up, wherever in its response it does so."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from planner.index import client as client_module
from planner.index import requester
from planner.index.client import IndexClient
from planner.index.errors import IndexAnswer, IndexUnreachable

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
ZIPPED = CHUNKED + b"Content-Encoding: gzip\r\n\r\n"
EMPTY_BLOCKS = b"\0\0\0\xff\xff" * 5


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def _begun() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(b"x") + packer.flush(zlib.Z_SYNC_FLUSH)


ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "a head": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "interim responses": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body of a stated length": (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "small chunks": (CHUNKED + b"\r\n", chunk(b"x")),
    "chunk extensions": (CHUNKED + b"\r\n", b"1;" + b"x" * 20 + b"\r\nx\r\n"),
    "trailers": (CHUNKED + b"\r\n" + chunk(b"x") + b"0\r\n", b"X: x\r\n"),
    "empty gzip blocks": (ZIPPED + chunk(_begun()), chunk(EMPTY_BLOCKS)),
}
"""What a server sends once, and then again and again."""


@contextmanager
def served(once: bytes, again: bytes, seconds: float) -> Iterator[str]:
    """Yield the URL of a server that answers every connection so, with pauses of ``seconds``."""
    listener = socket.create_server(("127.0.0.1", 0))
    end = threading.Event()

    def answer(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(once)
            while not end.wait(seconds):
                connection.sendall(again)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        end.set()
        listener.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """All times are a fiftieth of the real ones."""
    for name in ("IDLE_SECONDS", "LOST_SECONDS", "TIMEOUT_SECONDS"):
        monkeypatch.setattr(requester, name, getattr(requester, name) / 50)
    monkeypatch.setattr(client_module, "DOCUMENT_SECONDS", client_module.DOCUMENT_SECONDS / 50)


def fetch(url: str, pause: Callable[[float], None] = lambda _: None) -> None:
    with IndexClient(pause=pause) as client:
        client.get(url, accept="*/*", limit=1 << 20)


@pytest.mark.parametrize("what", ENDLESS)
def test_bytes_of_no_use_end_a_request(what: str) -> None:
    began = time.monotonic()
    with served(*ENDLESS[what], seconds=0.05) as url, pytest.raises(IndexUnreachable):
        fetch(url)
    assert time.monotonic() - began < 10  # on a machine that does other work too


def test_what_a_slow_server_sends_in_time_is_read() -> None:
    with served(HEAD + b"Content-Length: 4000\r\n\r\n", b"x" * 400, seconds=0.02) as url:
        fetch(url)


def test_a_document_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "DOCUMENT_SECONDS", 0.5)
    with (
        served(HEAD + b"Content-Length: 999999\r\n\r\n", b"x" * 400, seconds=0.02) as url,
        pytest.raises(IndexUnreachable, match=r"it has taken more than 0 minutes \(1 attempt\)"),
    ):
        fetch(url)


def test_bytes_after_the_gzip_encoding_are_no_answer() -> None:
    content = ZIPPED + chunk(gzip.compress(b"x")) + chunk(b"more")
    with (
        served(content, b"", seconds=9) as url,
        pytest.raises(IndexAnswer, match="bytes follow the end of its gzip encoding"),
    ):
        fetch(url)
