"""A package index on loopback that replays the answers of PyPI, and counts requests and bytes.

Each answer is stored when it is first needed, so that each tool gets the same answers after the
same time. Pages are changed in one point: the URLs of files lead here too. Pages have an ETag, are
fresh for ten minutes and compressed, as those of PyPI; mirrors of PyPI may do neither.
"""

from __future__ import annotations

import gzip
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

from planner.inputs.pip_config import PUBLIC_INDEX

__all__ = ["FRESHNESS", "CountingIndex", "counting_index"]

GIVEN_BACK = (
    "Content-Type", "Content-Range", "Accept-Ranges", "Last-Modified",
)  # fmt: skip
FRESHNESS = "max-age=600, public"
"""The Cache-Control of PyPI's pages."""
BACKLOG = 256
"""Connections that wait to be accepted; some tools open fifty at once."""
_ADDRESS = re.compile(rb"https://(?=[^\"'<>\s]+?\.(?:whl|tar\.gz|zip|tar\.bz2|exe|egg|tgz)\b)")


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A stored answer of PyPI; owned by the index."""

    status: int
    headers: dict[str, str]
    content: bytes
    packed: bytes
    """The content with gzip; empty if it is sent uncompressed."""


@dataclass
class CountingIndex:
    """The stored answers, and the requests and bytes so far."""

    url: str = ""
    freshness: str = FRESHNESS
    delay: float = 0.0
    """Seconds until an answer starts, as from a distant server."""
    requests: int = 0
    bytes: int = 0
    stored: dict[tuple[str, ...], StoredAnswer] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, size: int) -> None:
        with self._lock:
            self.requests += 1
            self.bytes += size

    def take(self) -> tuple[int, int]:
        """Return requests and bytes since the last call, and reset them."""
        with self._lock:
            counts = self.requests, self.bytes
            self.requests = self.bytes = 0
        return counts


class _Server(ThreadingHTTPServer):
    request_queue_size = BACKLOG
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def __init__(self, index: CountingIndex, client: httpx.Client, *connection: Any) -> None:
        self.index = index
        self.client = client
        super().__init__(*connection)

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def do_GET(self) -> None:
        self._pass_on()

    def do_HEAD(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        pass

    def _pass_on(self) -> None:
        try:
            stored = self._answer()
        except httpx.TransportError as error:
            print(f"{self.path}: {error}", file=sys.stderr)
            self.send_error(502)
            return
        time.sleep(self.index.delay)
        etag = f'"{sha256(stored.content).hexdigest()[:32]}"' if stored.packed else ""
        packs = bool(stored.packed) and "gzip" in self.headers.get("Accept-Encoding", "")
        content = stored.packed if packs else stored.content
        status = stored.status
        if etag and self.headers.get("If-None-Match") == etag:
            status, content = 304, b""
        self.index.count(len(content))
        self.send_response(status)
        for name in GIVEN_BACK:
            if name in stored.headers:
                self.send_header(name, stored.headers[name])
        if etag:
            self.send_header("ETag", etag)
            self.send_header("Vary", "Accept, Accept-Encoding")
            self.send_header("Cache-Control", self.index.freshness)
        if packs and status != 304:
            self.send_header("Content-Encoding", "gzip")
        self.send_header(
            "Content-Length",
            stored.headers["Length"] if self.command == "HEAD" else str(len(content)),
        )
        self.end_headers()
        self.wfile.write(content)

    def _answer(self) -> StoredAnswer:
        """What PyPI says, asked once."""
        is_page = self.path.startswith("/simple/")
        accept, part = self.headers.get("Accept", "*/*"), self.headers.get("Range", "")
        key = self.command, self.path, accept if is_page else "", part
        if key not in self.index.stored:
            self.index.stored[key] = self._fetch(is_page, accept, part)
        return self.index.stored[key]

    def _fetch(self, is_page: bool, accept: str, part: str) -> StoredAnswer:
        path = urlsplit(self.path).path
        url = f"https://{path.removeprefix('/files/')}"
        if is_page:
            url = PUBLIC_INDEX + path.removeprefix("/simple/")
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        if part:
            headers["Range"] = part
        response = self.client.request(self.command, url, headers=headers)
        content = response.content
        kept = {name: response.headers[name] for name in GIVEN_BACK if name in response.headers}
        packed = b""
        if is_page and response.is_success:
            here = self.index.url.removesuffix("simple/").encode()
            content = _ADDRESS.sub(here + b"files/", content)
            packed = gzip.compress(content, 6)
        if self.command == "HEAD":
            kept["Length"] = response.headers.get("Content-Length", "0")
        return StoredAnswer(response.status_code, kept, content, packed)


@contextmanager
def counting_index(delay: float = 0.0) -> Iterator[CountingIndex]:
    """A running one."""
    index = CountingIndex(delay=delay)
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        server = _Server(("127.0.0.1", 0), partial(_Handler, index, client))
        index.url = f"http://127.0.0.1:{server.server_port}/simple/"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield index
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
