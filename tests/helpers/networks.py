"""What networks do to a file on its way, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from helpers.servers import (
    FAULTS,
    Answer,
    cut,
    dripping,
    encoded,
    file,
    head_of,
    raw,
    redirect,
    reset,
    stalled,
    status,
    trickling,
)
from schemas.errors import ArtifactRefused, LockstreamError, NetworkError

__all__ = ["ENCODED", "IN_PIECES", "LASTING", "PASSING", "PROXY_ANSWERS", "RESUMABLE", "Fault"]

Fault = Callable[[bytes], Answer]
"""Makes the answer for a file that holds these bytes."""


def _html(_: bytes) -> Answer:
    return status(200, {"Content-Type": "text/html"}, b"<html>Sign in to the network</html>")


def _longer(content: bytes) -> Answer:
    return raw(head_of(200, len(content) + 5, {}) + content + b"extra")


def _corrupted(content: bytes) -> Answer:
    return file(content[:50] + bytes([content[50] ^ 1]) + content[51:], etag='"2"')


PASSING: Mapping[str, Fault] = {
    **FAULTS,
    "stalls before the head": lambda content: stalled(content, -1),
    "stalls behind the head": lambda content: stalled(content, 0),
    "stalls in the middle": lambda content: stalled(content, len(content) // 2),
    "drips": lambda content: dripping(content, 0.05),
    "drips its head": lambda _: trickling(b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.05),
    "drips the size of a chunk": lambda _: trickling(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", 0.05
    ),
    "drips interim responses": lambda _: trickling(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
    "gzip, cut": lambda content: encoded(content, at=60),
    "gzip that is damaged": lambda _: raw(
        head_of(200, 9, {"Content-Encoding": "gzip"}) + b"not gzip!"
    ),
    "part of another length": lambda content: raw(
        head_of(206, 10, {"Content-Range": "bytes 5-14/99"}) + content[5:15]
    ),
    "continue for ever": lambda _: raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 200, close=True),
    "gateway time-out": lambda _: status(504),
    "too early": lambda _: status(425),
}
"""What a later attempt may not meet."""

LASTING: Mapping[str, tuple[Fault, type[LockstreamError]]] = {
    "captive portal": (_html, NetworkError),
    "one bit flipped": (_corrupted, ArtifactRefused),
    "more than the lock says": (_longer, ArtifactRefused),
    "another encoding": (lambda content: encoded(content, coding="br"), NetworkError),
    "forbidden": (lambda _: status(403), NetworkError),
    "gone": (lambda _: status(404), NetworkError),
    "unauthorized": (lambda _: status(401), NetworkError),
    "no content": (lambda _: raw(b"HTTP/1.1 204 No Content\r\n\r\n"), NetworkError),
    "redirect to itself": (lambda _: redirect(""), NetworkError),
    "redirect without a place": (lambda _: status(302), NetworkError),
    "redirect to a file": (lambda _: redirect("file:///etc/passwd"), NetworkError),
    "redirect to nobody": (lambda _: redirect("http://127.0.0.1:9/x"), NetworkError),
}
"""What no later attempt mends, and the kind of error it is."""

ENCODED: Mapping[str, Fault] = {
    "gzip": encoded,
    "x-gzip": lambda content: encoded(content, coding="x-gzip"),
}
"""What a server may send unrequested without a fault."""

IN_PIECES = {"cut in the middle", "cut before the last byte", "reset in the middle"}
"""However often they happen, the file gets on."""

RESUMABLE = {
    *IN_PIECES, "stalls in the middle", "stalls behind the head", "busy", "closed at once",
    "reset at once", "cut before the body",
}  # fmt: skip
"""Faults after which nothing has to be sent again."""

PROXY_ANSWERS: Mapping[str, Answer] = {
    "407": status(407),
    "403": status(403),
    "502": status(502),
    "503": status(503),
    "closes": raw(b"", close=True),
    "garbage": raw(b"garbage\r\n\r\n", close=True),
    "resets": reset(b"x", -1),
    "stalls": stalled(b"x", -1),
    "drips": trickling(b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.05),
    "cuts": cut(b"x", 0),
}
"""What a proxy says instead of doing its work."""
