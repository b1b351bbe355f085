"""A server on loopback that stores files, as an object store or a WebDAV folder does."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["PutServer", "put_server"]


@dataclass
class PutServer:
    """What the server has, and how it behaves."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """By path."""
    login: str = ""
    """``user:password`` that each request has to bring; empty for none."""
    knows_conditions: bool = True
    """Whether it keeps what it has if a request asks it to."""
    answers: list[int] = field(default_factory=list)
    """Statuses of the next PUTs, in place of storing; 0 to store."""
    location: str = ""
    """Of these answers."""
    seen: list[str] = field(default_factory=list)
    """Method and path of each request."""

    def puts(self) -> Sequence[str]:
        return [one.partition(" ")[2] for one in self.seen if one.startswith("PUT ")]


@contextmanager
def put_server() -> Iterator[PutServer]:
    """Run a server and yield it."""
    state = PutServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def reply(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            if state.location and 300 <= status < 400:
                self.send_header("Location", state.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def is_permitted(self) -> bool:
            state.seen.append(f"{self.command} {self.path}")
            wanted = "Basic " + base64.b64encode(state.login.encode()).decode()
            return not state.login or self.headers.get("Authorization") == wanted

        def do_GET(self) -> None:
            if not self.is_permitted():
                self.reply(401)
            elif self.path in state.files:
                self.reply(200, state.files[self.path])
            else:
                self.reply(404)

        def do_PUT(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            keeps = state.knows_conditions and self.headers.get("If-None-Match") == "*"
            if not self.is_permitted():
                self.reply(401)
            elif state.answers and (status := state.answers.pop(0)):
                self.reply(status)
            elif keeps and self.path in state.files:
                self.reply(412)
            else:
                state.files[self.path] = content
                self.reply(201)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield state
        server.shutdown()
