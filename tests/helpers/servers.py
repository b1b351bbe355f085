"""Servers on loopback that misbehave on demand, and a proxy in front of them.

A server has a script: for each path, answers that are given once each, in order; the last one is
given for ever::

    with Server() as server:
        url = server.script("/demo.whl", cut(content, 1000), file(content))
        ...
        assert server.requests[1].headers["range"] == "bytes=1000-"

An answer is any function of a request and its connection, so a new fault is a new function here.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import re
import select
import socket
import ssl
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = [
    "CERTIFICATE",
    "FAULTS",
    "Answer",
    "Connection",
    "Proxy",
    "Request",
    "Server",
    "chunked",
    "cut",
    "dripping",
    "encoded",
    "file",
    "head_of",
    "raw",
    "redirect",
    "reset",
    "stalled",
    "status",
    "trickling",
    "unsized",
    "without_ranges",
    "wrong_range",
]

CERTIFICATE = Path(__file__).parent.parent / "data" / "loopback.pem"
"""Self-signed, with its key, for localhost and 127.0.0.1."""

_MAX_HEAD = 64 << 10
_LEAVES_SECONDS = 10.0
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived."""

    method: str
    target: str
    """As in the request line: a path with its query, or a whole URL at a proxy."""
    headers: Mapping[str, str]
    """With names in lower case."""
    connection: int
    """The number of the connection it came over, from 0."""

    @property
    def path(self) -> str:
        path = self.target.partition("?")[0]
        # Whole URLs are asked of proxies, and servers must take them, too (RFC 9112, 3.2.2).
        return "/" + path.split("/", 3)[3] if "://" in path else path


class Connection:
    """The server's end of a connection."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self._socket = sock
        self.number = number
        self.is_open = True
        self.sent = 0
        """Bytes that were given to the other side."""

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)
        self.sent += len(data)

    def close(self) -> None:
        """End it in order."""
        self.is_open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break it: the other side gets an error after the bytes that were sent."""
        self.is_open = False
        self._wait_until_sent()
        # To linger for 0 seconds is to send RST (man 7 socket).
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def _wait_until_sent(self) -> None:
        # A reset discards what the kernel has still to send.
        for _ in range(1000):
            unsent = fcntl.ioctl(self._socket, termios.TIOCOUTQ, struct.pack("i", 0))
            if unsent == struct.pack("i", 0):
                return
            threading.Event().wait(0.001)

    def wait_for_the_other_side(self) -> None:
        """Until it goes away."""
        while self._socket.recv(1024):
            pass
        self.is_open = False

    def receive_head(self) -> bytes | None:
        """Return the bytes up to the empty line, or None if the other side is done."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self._socket.recv(1)
            # A head has no control characters; TLS, spoken to a server without, begins with one.
            if not byte or len(head) > _MAX_HEAD or byte == b"\x16":
                return None
            head += byte
        return head

    def exchange_with(self, other: socket.socket) -> None:
        """Pass bytes both ways until either side ends."""
        self.is_open = False

        def copy(source: socket.socket, sink: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(64 << 10):
                    sink.sendall(data)
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)

        back = threading.Thread(target=copy, args=(other, self._socket))
        back.start()
        copy(self._socket, other)
        back.join()


Answer = Callable[[Request, Connection], None]


class _Listener:
    """Accepts connections and serves each in a thread of its own, until it is left."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._accepted: list[socket.socket] = []
        self._connections: list[Connection] = []
        self.port: int = self._socket.getsockname()[1]
        self.requests: list[Request] = []

    def __enter__(self) -> Self:
        self._threads.append(threading.Thread(target=self._accept))
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        # It may be about to begin a connection, which would not be ended below.
        self._threads[0].join()
        for sock in self._accepted:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in (self._socket, *self._accepted):
            sock.close()

    @property
    def sent(self) -> int:
        """Bytes that were sent over all connections, heads included."""
        return sum(connection.sent for connection in self._connections)

    def wait_until_left(self) -> None:
        """Wait until the requests of all clients that have left are recorded."""
        deadline, idle = time.monotonic() + _LEAVES_SECONDS, 0
        # One that is being accepted is neither waiting nor served for a moment.
        while idle < 3:
            is_busy = select.select([self._socket], [], [], 0)[0] or self._serving
            idle = 0 if is_busy else idle + 1
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def hold_handshakes(self, until: threading.Event) -> None:
        """Answer no client that wants TLS before ``until`` is set."""
        assert self._context is not None
        self._context.sni_callback = lambda *_: until.wait(_LEAVES_SECONDS) and None

    def refuse_connections(self) -> None:
        """Take no further ones; those that are open stay."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def answer(self, request: Request, connection: Connection) -> None:
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            number = len(self._accepted)
            self._accepted.append(accepted)
            thread = threading.Thread(target=self._serve, args=(accepted, number))
            self._threads.append(thread)
            thread.start()

    @property
    def _serving(self) -> bool:
        threads = self._threads[1:]
        return len(threads) < len(self._accepted) or any(
            thread.ident is None or thread.is_alive() for thread in threads
        )

    def _serve(self, accepted: socket.socket, number: int) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client that leaves in the middle is the concern of the test, not of the server.
        with contextlib.suppress(OSError):
            if self._context is not None:
                accepted = self._context.wrap_socket(
                    accepted, server_side=True, do_handshake_on_connect=False
                )
                # Whoever leaves the server can end a handshake, too.
                self._accepted[number] = accepted
                accepted.do_handshake()
            with accepted:
                connection = Connection(accepted, number)
                self._connections.append(connection)
                while connection.is_open and (head := connection.receive_head()) is not None:
                    request = _parse(head, number)
                    self.requests.append(request)
                    self.answer(request, connection)


class Server(_Listener):
    """An HTTP/1.1 server that keeps connections and follows its script."""

    def __init__(self, *, tls: bool = False, asks_for_certificate: bool = False) -> None:
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            if asks_for_certificate:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(CERTIFICATE)
        super().__init__(context)
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._script: dict[str, list[Answer]] = {}

    def script(self, path: str, *answers: Answer) -> str:
        """Set the answers for ``path``; its URL."""
        self._script[path] = list(answers)
        return self.origin + path

    def answer(self, request: Request, connection: Connection) -> None:
        answers = self._script.get(request.path, [status(404)])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(request, connection)


class Proxy(_Listener):
    """An HTTP proxy: tunnels CONNECT, and forwards requests for whole URLs.

    With ``authorization``, it demands that Proxy-Authorization header. All names lead to
    127.0.0.1.
    """

    def __init__(self, authorization: str | None = None) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self._authorization = authorization

    def answer(self, request: Request, connection: Connection) -> None:
        if request.headers.get("proxy-authorization") != self._authorization:
            status(407)(request, connection)
            return
        host = request.target if request.method == "CONNECT" else request.target.split("/")[2]
        port = int(host.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            if request.method == "CONNECT":
                connection.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                path = "/" + request.target.split("/", maxsplit=3)[3]
                lines = [f"{name}: {value}" for name, value in request.headers.items()]
                head = "\r\n".join([f"{request.method} {path} HTTP/1.1", *lines, "", ""])
                upstream.sendall(head.encode("latin-1"))
            connection.exchange_with(upstream)


# Answers that are right.


def file(
    content: bytes, *, etag: str | None = '"1"', headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer with the file, or the requested part (RFC 9110, 13 and 14)."""

    def answer(request: Request, connection: Connection) -> None:
        told = {"Accept-Ranges": "bytes", **({"ETag": etag} if etag else {}), **(headers or {})}
        wanted = _RANGE.fullmatch(request.headers.get("range", ""))
        if not wanted or request.headers.get("if-range", etag) != etag:
            connection.send(head_of(200, len(content), told) + content)
        elif int(wanted[1]) >= len(content):
            place = {"Content-Range": f"bytes */{len(content)}"}
            connection.send(head_of(416, 0, {**told, **place}))
        else:
            first, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
            place = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
            part = content[first : last + 1]
            connection.send(head_of(206, len(part), {**told, **place}) + part)

    return answer


def redirect(location: str, code: int = 302) -> Answer:
    """Somewhere else."""
    return status(code, {"Location": location})


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"no") -> Answer:
    """A plain answer, such as an error."""
    return raw(head_of(code, len(body), headers or {}) + body)


def without_ranges(content: bytes, **headers: str) -> Answer:
    """Answer with the whole file, whatever part is requested."""
    return raw(head_of(200, len(content), headers) + content)


def chunked(content: bytes, *, size: int = 1000, ends: bool = True) -> Answer:
    """The file in chunks (RFC 9112, 7.1); without the last chunk if it does not end."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return raw(head + body + (b"0\r\n\r\n" if ends else b""), close=not ends)


def unsized(content: bytes) -> Answer:
    """Answer with the file without its length: it ends with the connection."""
    return raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + content, close=True)


# Answers that are wrong.


def cut(content: bytes, at: int, *, etag: str | None = '"1"') -> Answer:
    """Answer with the beginning of the requested part: the connection ends after ``at`` bytes of
    the body."""
    return _shortened(file(content, etag=etag), at, Connection.close)


def reset(content: bytes, at: int, *, etag: str | None = '"1"') -> Answer:
    """As ``cut``, but the connection breaks."""
    return _shortened(file(content, etag=etag), at, Connection.reset)


def wrong_range(content: bytes, shift: int) -> Answer:
    """Answer with a part that starts ``shift`` bytes after the requested one, and says so."""

    def answer(request: Request, connection: Connection) -> None:
        wanted = _RANGE.fullmatch(request.headers.get("range", ""))
        first = (int(wanted[1]) if wanted else 0) + shift
        place = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}", "ETag": '"1"'}
        connection.send(head_of(206, len(content) - first, place) + content[first:])

    return answer


def stalled(content: bytes, at: int) -> Answer:
    """The first ``at`` bytes of the file, then nothing for as long as the client waits; -1 for no
    answer at all.
    """

    def answer(request: Request, connection: Connection) -> None:
        recorded = _Recorded()
        file(content)(request, recorded)
        head, separator, body = recorded.data.partition(b"\r\n\r\n")
        connection.send(head + separator + body[:at] if at >= 0 else b"")
        connection.wait_for_the_other_side()

    return answer


def dripping(content: bytes, seconds: float) -> Answer:
    """The file, a byte each ``seconds``."""

    def answer(request: Request, connection: Connection) -> None:
        recorded = _Recorded()
        file(content)(request, recorded)
        head, separator, body = recorded.data.partition(b"\r\n\r\n")
        connection.send(head + separator)
        for byte in body:
            connection.send(bytes([byte]))
            threading.Event().wait(seconds)

    return answer


def trickling(before: bytes, piece: bytes, seconds: float) -> Answer:
    """``before``, then ``piece`` each ``seconds``, for as long as the client listens."""

    def answer(_request: Request, connection: Connection) -> None:
        connection.send(before)
        while True:
            connection.send(piece)
            threading.Event().wait(seconds)

    return answer


def encoded(content: bytes, *, at: int | None = None, coding: str = "gzip") -> Answer:
    """The file, compressed although the client did not accept it; the connection ends after ``at``
    bytes."""
    body = gzip.compress(content, mtime=0)
    head = head_of(200, len(body), {"Content-Encoding": coding, "ETag": '"1"'})
    return raw(head + body[:at], close=at is not None)


def raw(data: bytes, *, close: bool = False) -> Answer:
    """These bytes and nothing else; then, with ``close``, the end of the connection."""

    def answer(_request: Request, connection: Connection) -> None:
        connection.send(data)
        if close:
            connection.close()

    return answer


FAULTS: Mapping[str, Callable[[bytes], Answer]] = {
    "cut at the head": lambda _: raw(b"HTTP/1.1 200 OK\r\nContent-Le", close=True),
    "cut before the body": lambda content: cut(content, 0),
    "cut in the middle": lambda content: cut(content, len(content) // 2),
    "cut before the last byte": lambda content: cut(content, len(content) - 1),
    "cut without a length": lambda content: unsized(content[: len(content) // 2]),
    "cut in a chunk": lambda content: chunked(content[: len(content) // 2], ends=False),
    "length too short": lambda content: without_ranges(content[: len(content) // 2], ETag='"1"'),
    "closed at once": lambda _: raw(b"", close=True),
    "reset at once": lambda content: reset(content, -1),
    "reset in the middle": lambda content: reset(content, len(content) // 2),
    "no HTTP": lambda _: raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", close=True),
    "status without meaning": lambda _: raw(b"HTTP/1.1 abc\r\n\r\n", close=True),
    "chunk of no size": lambda _: raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", close=True
    ),
    "headers without end": lambda _: raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300, close=True),
    "header line without end": lambda _: raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, close=True),
    "busy": lambda _: status(503),
    "too many requests": lambda _: status(429, {"Retry-After": "1"}),
    "time-out told": lambda _: status(408),
    "bad gateway": lambda _: status(502, body=b"<html>" * 1000),
    "error of the server": lambda _: status(500),
    "range not satisfiable": lambda _: status(416, {"Content-Range": "bytes */1"}),
    "range of other bytes": lambda content: wrong_range(content, 1),
    "redirect that is cut": lambda _: raw(
        b"HTTP/1.1 302 Found\r\nLocation: ?x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
        close=True,
    ),
}
"""Faults that pass: each makes an answer for a file that a client can overcome by asking again."""


def head_of(code: int, length: int, headers: Mapping[str, str]) -> bytes:
    """The head of an answer with a body of ``length`` bytes."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = [f"HTTP/1.1 {code} {_REASONS.get(code, 'Status')}", f"Content-Length: {length}", *lines]
    return "\r\n".join([*head, "", ""]).encode("latin-1")


def _shortened(good: Answer, at: int, end: Callable[[Connection], None]) -> Answer:
    """The answer ``good`` with only ``at`` bytes of its body; -1 for no answer at all."""

    def answer(request: Request, connection: Connection) -> None:
        recorded = _Recorded()
        good(request, recorded)
        head, separator, body = recorded.data.partition(b"\r\n\r\n")
        connection.send(head + separator + body[:at] if at >= 0 else b"")
        end(connection)

    return answer


class _Recorded(Connection):
    def __init__(self) -> None:
        self.data = b""
        self.sent = 0

    def send(self, data: bytes) -> None:
        self.data += data


def _parse(head: bytes, connection: int) -> Request:
    line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = line.split(" ")
    pairs: Iterator[tuple[str, str, str]] = (header.partition(":") for header in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Request(method, target, headers, connection)


_REASONS = {
    200: "OK", 206: "Partial Content", 302: "Found", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 407: "Proxy Authentication Required", 416: "Range Not Satisfiable",
    429: "Too Many Requests", 503: "Service Unavailable",
}  # fmt: skip
