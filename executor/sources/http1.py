"""The grammar of HTTP/1.1 (RFC 9112): heads of requests and responses, and where a body ends.

``http.client`` reads heads with ``email``; both take 10 ms to import. What cannot be read in one
way only is an error: where a body ends, the next response begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from schemas.text import one_line

__all__ = [
    "MAX_HEAD",
    "MAX_HEADERS",
    "MAX_LINE",
    "MAX_SHOWN",
    "PARTIAL",
    "Body",
    "Head",
    "HttpError",
    "TunnelRefused",
    "Untrusted",
    "body_of",
    "check_begun",
    "chunk_size",
    "end_of_head",
    "range_headers",
    "range_in",
    "read_head",
    "request_head",
]


MAX_HEAD = 256 << 10
"""Bytes of one head; curl takes 300 KB, and real ones have a few hundred bytes."""


MAX_LINE = 65536
"""Bytes of one line of a head or between chunks, as in ``http.client``."""


MAX_HEADERS = 100
"""Lines of a head, or of trailers, as in ``http.client``."""


MAX_SHOWN = 80
"""Characters of a server's text that are shown: one line."""


_SWITCHING, _FINAL, _NO_CONTENT, _NOT_MODIFIED = 101, 200, 204, 304


_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
"""Characters of a name in lower case (https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)."""


PARTIAL = 206
"""The status of a part of a file (RFC 9110, 15.3.7)."""


_CONTENT_RANGE = r"(?a:bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*))"


_HEX = frozenset(b"0123456789abcdefABCDEF")


_MAX_DIGITS = 15
"""Digits of a number of bytes."""


_TELLING = 7
"""Bytes that tell which protocol an answer is of; an alert of TLS has as many."""


_OF_TLS = {"\x15\x03", "\x16\x03"}
"""What an alert and a handshake of TLS begin with (RFC 8446, 5.1)."""


_OF_HTTP_2 = "\x04\0\0\0"
"""What the first frame of HTTP/2 has after its length (RFC 9113, 4.1 and 6.5)."""


_TOO_LONG = "the head of its answer is too long"


class HttpError(Exception):
    """What a server sent is not HTTP/1.1, or ends too early. Its text is for the user."""


class TunnelRefused(HttpError):
    """A proxy does not connect to the server."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"the proxy answers {status}")
        self.status = status
        self.reason = reason
        self.headers = headers


class Untrusted(HttpError):
    """Nobody who is trusted vouches for the certificate of a server."""

    def __init__(self, problem: str, reason: str, hint: str) -> None:
        """``problem`` is what ssl says; ``reason`` is the part of it that is for the user, and
        ``hint`` what the user can do.
        """
        super().__init__(problem)
        self.reason = reason
        self.hint = hint


class Head(NamedTuple):
    """The status line and headers of a response."""

    persists: bool
    """Whether connections of its version stay open unless it says otherwise."""
    status: int
    reason: str
    headers: dict[str, str]
    """By name in lower case; what comes several times is one list (RFC 9110, 5.3)."""

    @property
    def is_interim(self) -> bool:
        """Whether another response follows (RFC 9110, 15.2)."""
        return self.status < _FINAL and self.status != _SWITCHING


class Body(NamedTuple):
    """How the body of a response is framed (RFC 9112, 6.3)."""

    length: int | None
    """Bytes; None if it is chunked, or ends with the connection."""
    is_chunked: bool
    will_close: bool
    """Whether the connection cannot be used again."""


def end_of_head(data: bytes | bytearray, start: int = 0) -> int:
    """Return where the body begins: after the first empty line in ``data`` from ``start`` on; -1 if
    there is none. A line may end with a single line feed (RFC 9112, 2.2).
    """
    end = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, end + 1 if end >= 0 else len(data))
    if bare >= 0:
        return bare + 2
    return end + 3 if end >= 0 else -1


def check_begun(data: bytes | bytearray) -> None:
    """Raise HttpError if ``data``, the first bytes of a head, cannot become one."""
    end = data.find(b"\n", 0, MAX_LINE)
    if end >= 0 or (len(data) >= _TELLING and not data.startswith(b"HTTP/")):
        _read_status(data[: end if end >= 0 else MAX_SHOWN].decode("latin-1"))
    if len(data) > MAX_HEAD or (end < 0 and len(data) >= MAX_LINE):
        raise HttpError(_TOO_LONG)


def read_head(data: bytes | bytearray) -> Head:
    """Return what a whole head says, with its empty line. Raises HttpError."""
    text = data.decode("latin-1").replace("\r\n", "\n")
    first, *lines = text.split("\n")[:-2]
    if len(data) > MAX_HEAD or data.find(b"\n", 0, MAX_LINE) < 0:
        raise HttpError(_TOO_LONG)
    persists, status, reason = _read_status(first)
    if len(lines) > MAX_HEADERS:
        raise HttpError(f"its answer has more than {MAX_HEADERS} headers")
    if "\n " in text or "\n\t" in text:
        lines = _unfolded(lines)
    headers: dict[str, str] = {}
    for line in lines:
        if len(line) > MAX_LINE or "\r" in line or "\0" in line:
            raise _malformed("a header", line)
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if not colon or not name or not _TOKEN.issuperset(name):
            raise _malformed("a header", line)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Head(persists, status, reason, headers)


def _unfolded(lines: list[str]) -> list[str]:
    """Return the lines of a head, each with those that continue it (RFC 9112, 5.2)."""
    whole: list[str] = []
    for line in lines:
        if line[0] in " \t" and whole:
            whole[-1] += " " + line.strip(" \t")
        else:
            whole.append(line)
    return whole


def _read_status(line: str) -> tuple[bool, int, str]:
    version, status, reason = (*line.split(None, 2), "", "", "")[:3]
    is_known = version[:-1] == "HTTP/1." or version == "HTTP/0.9"
    if is_known and len(status) == 3 and status.isascii() and status.isdigit() and status >= "100":
        return version[-3:] > "1.0", int(status), reason.strip()
    if line[:2] in _OF_TLS:
        raise HttpError("the server speaks TLS at that port, which an https address asks for")
    if line[3:_TELLING] == _OF_HTTP_2:
        raise HttpError("the server speaks only HTTP/2 at that port")
    kind = "HTTP/1.1" if line.startswith("HTTP/") else "HTTP"
    raise HttpError(f"its answer is not {kind}: {one_line(line.rstrip(), MAX_SHOWN)}")


def _malformed(what: str, text: str) -> HttpError:
    shown = one_line(text.strip(), MAX_SHOWN)
    return HttpError(f"{what} of its answer is malformed: {shown}")


def body_of(head: Head, method: str) -> Body:
    """Return how the body of the response to a ``method`` is framed. Raises HttpError if that can
    be understood in several ways.
    """
    headers, status = head.headers, head.status
    wishes = {wish.strip() for wish in headers.get("connection", "").lower().split(",")}
    persists = "close" not in wishes and (head.persists or "keep-alive" in wishes)
    coding = headers.get("transfer-encoding", "identity").lower()
    if coding not in {"chunked", "identity"}:
        raise _malformed("the transfer coding", coding)
    is_chunked = coding == "chunked"
    stated = headers.get("content-length")
    length = None if stated is None or is_chunked else _read_length(stated)
    if method == "HEAD" or status in {_NO_CONTENT, _NOT_MODIFIED} or status < _FINAL:
        return Body(0, False, not persists or status < _FINAL)
    is_framed_twice = is_chunked and (stated is not None or not head.persists)
    is_framed = is_chunked or length is not None
    return Body(length, is_chunked, not persists or is_framed_twice or not is_framed)


def _read_length(stated: str) -> int:
    lengths = {one.strip(" \t") for one in stated.split(",")}
    length = lengths.pop()
    is_number = length.isascii() and length.isdigit() and len(length) <= _MAX_DIGITS
    if lengths or not is_number:
        raise _malformed("the length", stated)
    return int(length)


def chunk_size(line: bytes) -> int:
    """Return the bytes of the chunk that ``line`` announces. Raises HttpError."""
    digits = line.partition(b";")[0].strip(b" \t\r\n")
    is_number = 0 < len(digits) <= _MAX_DIGITS and _HEX.issuperset(digits)
    if not is_number or not line.endswith(b"\n"):
        raise _malformed("a chunk", line.decode("latin-1"))
    return int(digits, 16)


def request_head(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request. Raises ValueError if one of its parts would be more than that
    part.
    """
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    is_target = target and " " not in target and target.isascii() and target.isprintable()
    if not is_target or any(map("".join(lines).__contains__, "\r\n\0")):
        raise ValueError("a request has a space or a line break where none may be")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def range_headers(start: int, stop: int | None, etag: str | None) -> dict[str, str]:
    """Return the headers that request the bytes of a file from ``start`` to before ``stop`` (None:
    to its end), if it is still the version with the tag ``etag`` (RFC 9110, 14.2 and 13.1.5).
    """
    headers = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
    if etag and not etag.startswith("W/"):
        headers["If-Range"] = etag
    return headers


def range_in(headers: Mapping[str, str]) -> tuple[int, int, int | None] | None:
    """Return which bytes a response has: the first, the one after the last, and the size of the
    file if that is known (RFC 9110, 14.4); None if it does not say so.
    """
    found = re.fullmatch(_CONTENT_RANGE, headers.get("content-range", ""))
    if found is None:
        return None
    return int(found[1]), int(found[2]) + 1, None if found[3] == "*" else int(found[3])
