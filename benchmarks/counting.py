"""A package index on loopback that passes on what PyPI says, and counts.

Pages are changed in one point: the addresses of files lead here too. Two tools that ask this index
are compared by what they ask for and what they get, however they speak HTTP.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

from planner.configuration import PUBLIC_INDEX

__all__ = ["CountingIndex", "counting_index"]

PASSED_ON = ("Accept", "Range", "If-None-Match", "If-Modified-Since")
GIVEN_BACK = (
    "Content-Type", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified", "Cache-Control",
)  # fmt: skip
FRESHNESS = "max-age=600, public"
"""What PyPI says of its pages, and what mirrors of it may leave out."""
_ADDRESS = re.compile(rb"https://(?=[^\"'<>\s]+?\.(?:whl|tar\.gz|zip|tar\.bz2|exe|egg|tgz)\b)")


@dataclass
class CountingIndex:
    """What was asked for, and how much was given."""

    url: str = ""
    requests: int = 0
    bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, size: int) -> None:
        with self._lock:
            self.requests += 1
            self.bytes += size

    def take(self) -> tuple[int, int]:
        """Requests and bytes since the last time."""
        with self._lock:
            told = self.requests, self.bytes
            self.requests = self.bytes = 0
        return told


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
        parts = urlsplit(self.path)
        if parts.path.startswith("/files/"):
            url = f"https://{parts.path.removeprefix('/files/')}"
        else:
            url = PUBLIC_INDEX + parts.path.removeprefix("/simple/")
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        headers["Accept-Encoding"] = "identity"
        try:
            response = self.client.request(self.command, url, headers=headers)
        except httpx.TransportError as error:
            print(f"{url}: {error}", file=sys.stderr)
            self.send_error(502)
            return
        content = response.content
        if parts.path.startswith("/simple/"):
            here = self.index.url.removesuffix("simple/").encode()
            content = _ADDRESS.sub(here + b"files/", content)
        self.index.count(len(content))
        self.send_response(response.status_code)
        for name in GIVEN_BACK:
            if name in response.headers:
                self.send_header(name, response.headers[name])
        length = response.headers.get("Content-Length", "0")
        if parts.path.startswith("/simple/") and "Cache-Control" not in response.headers:
            self.send_header("Cache-Control", FRESHNESS)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def counting_index() -> Iterator[CountingIndex]:
    """A running one."""
    index = CountingIndex()
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, index, client))
        index.url = f"http://127.0.0.1:{server.server_port}/simple/"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield index
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
