"""Answers of servers to the planner's client of indexes.

Whatever they are, it returns what it was asked for, in bounds, or an error of lockstream; and no
request says to a server what is not for it.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from random import Random
from typing import Any
from unittest.mock import patch
from urllib.parse import SplitResult

from executor import HttpConnection, Keychain, PacedResponse
from helpers.answer_bytes import BETWEEN, AnswerBytes
from helpers.service_readers import noisy
from planner.index.client import IndexClient
from planner.index.upload import Upload
from schemas.credentials import Login
from schemas.errors import LockstreamError
from schemas.text import printable

__all__ = ["make_answer", "make_index_answers", "read_index_answers"]

_HOST, _LOGIN = "index.example", Login("user", "s3cr3t")
_LIMIT = 5000
"""Bytes of a document that are read, at most."""
_LENGTH = 100
"""Bytes of a part."""

_HEAD = re.compile(
    rb"(?:GET|HEAD|PUT) [!-~]+ HTTP/1\.1\r\n(?:[A-Za-z-]+: [^\r\n]*(?:\r\n[ \t][^\r\n]*)*\r\n)+\r\n"
)
"""The head of a request, which what a server said before has not split."""


class _Keeping:
    """A cache of documents, as Cache has it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def read(self, kind: str, key: str) -> bytes | None:
        return self._kept.get((kind, key))

    def write(self, kind: str, key: str, content: bytes) -> None:
        self._kept[kind, key] = content


def _document(client: IndexClient, url: str) -> None:
    answer = client.get(url, accept="*/*", limit=_LIMIT)
    assert answer is None or len(answer.content) <= _LIMIT


def _part(client: IndexClient, url: str, offset: int | None) -> None:
    part = client.get_part(url, offset=offset, length=_LENGTH)
    assert part is None or len(part.content) <= _LENGTH
    assert part is None or part.offset + len(part.content) <= part.total


def _size(client: IndexClient, url: str) -> None:
    size = client.get_size(url)
    assert size is None or size >= 0


def _download(client: IndexClient, url: str) -> None:
    with client.download(url, limit=_LIMIT) as file:
        assert file.seek(0, io.SEEK_END) <= _LIMIT


def _upload(client: IndexClient, url: str) -> None:
    client.upload(url, Upload.of(io.BytesIO(b"content")))


_USES: tuple[Callable[[IndexClient, str], None], ...] = (
    _document,
    lambda client, url: _part(client, url, None),
    lambda client, url: _part(client, url, 7),
    _size,
    _download,
    _upload,
)


def read_index_answers(data: bytes) -> None:
    """The first byte chooses what the client is asked for, and whether by https; it is asked twice,
    since it keeps documents.
    """
    number, answers = data[:1] or b"\0", iter(data[1:].split(BETWEEN))
    scheme = "http" if number[0] & 0x80 else "https"
    use, url = _USES[number[0] % 0x80 % len(_USES)], f"{scheme}://{_HOST}/simple/demo/"
    connected: list[tuple[str, list[bytes]]] = []

    def connect(parts: SplitResult, *_: object) -> HttpConnection:
        sent: list[bytes] = []
        connected.append((f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", sent))

        class Connection(HttpConnection):
            def open(self) -> None:
                self.sock = AnswerBytes(b"", sent)

            def getresponse(self) -> PacedResponse:
                self.sock = AnswerBytes(next(answers, b""), sent)
                return super().getresponse()

        return Connection((parts.hostname or "", 80), None)

    logins = {f"{scheme}://{_HOST}": _LOGIN for scheme in ("http", "https")}
    keychain = Keychain(logins, environment={})
    cache: Any = _Keeping()
    with (
        patch("planner.index.connections.connect", connect),
        patch("planner.index.connections._is_silent", lambda _: True),
        patch("planner.index.connections.proxy_for", lambda *_: None),
    ):
        for _ in range(2):
            with IndexClient(keychain=keychain, cache=cache, pause=lambda _: None) as client:
                try:
                    use(client, url)
                except LockstreamError as error:
                    said = printable(str(error))
                    assert all(secret not in said for secret in _LOGIN.secrets)
                    assert said.replace("\n", "").isprintable()
    _check(connected, scheme)


def _check(connected: list[tuple[str, list[bytes]]], scheme: str) -> None:
    """Check what was sent where."""
    for origin, sent in connected:
        assert origin.startswith("https:") or scheme == "http", f"{origin} after {scheme}"
        for data in sent:
            if data.startswith((b"GET", b"HEAD", b"PUT")):
                assert _HEAD.match(data), data
        if origin.partition("://")[2] != _HOST:
            assert _LOGIN.authorization.encode() not in b"".join(sent), origin


_PAGE = b'{"meta": {"api-version": "1.0"}, "name": "demo", "files": []}'
_STATUS = (
    *(b"HTTP/1.1 200 OK",) * 8, *(b"HTTP/1.1 206 Partial Content",) * 4, b"HTTP/1.1 304 X",
    b"HTTP/1.1 301 X", b"HTTP/1.1 302 X", b"HTTP/1.1 307 X", b"HTTP/1.1 308 X", b"HTTP/1.1 404 X",
    b"HTTP/1.1 429 X", b"HTTP/1.1 503 X", b"HTTP/1.1 401 X", b"HTTP/1.1 412 X", b"HTTP/1.1 416 X",
    b"HTTP/1.1 101 X", b"HTTP/1.1 102 X", b"HTTP/1.1 103 X\r\nLink: x", b"HTTP/1.1 99 X",
    b"HTTP/1.1 999 \x1b]0;x\x07", b"HTTP/1.1 200", b"HTTP/1.1 -20 X", b"HTTP/1.1 2\xb20 X",
    b"HTTP/1.0 200 OK", b"HTTP/0.9 200 OK", b"HTTP/9 200 OK", b"HTTP/1.1  200 OK", b"ICY 200 OK",
    b"", b"<html>", b"HTTP/1.1 200 " + b"x" * 70_000, b"HTTP/1.1 " + b"2" * 5000 + b" X",
)  # fmt: skip
_LOCATIONS = (
    b"/y", b"", b"//other.example/y", b"http://other.example/y", b"https://other.example/y",
    b"https://index.example:443/y", b"https://u:p@index.example/y", b"http://index.example/y",
    b"//[", b"//[::1]/", b"https://other.example:0/", b"https://other.example:99999/", b"file:///x",
    b"https://index.example@other.example/y", b"https://index.example\\@other.example/",
    b"https://other.example\x00.index.example/", b"https://\xe4.example/\xff", b"https://x..y/",
    b"unix:/run/x", b"https:/y", b"https:y", b"HTTPS://INDEX.EXAMPLE/y", b"https://index.example./",
    b"https://" + b"a" * 70 + b".example/", b"?x=\xf0\x9f\x98\x80", b"#x", b"/a b", b"/a%0d%0ab",
    b"/y\r\n\tz", b"\t/y", b"https://\xe2\x84\xa1.example/", b"https://xn--/", b"javascript:x",
)  # fmt: skip
_HEADERS = (
    b"Content-Length: 5", b"Content-Length: 0", b"Content-Length: -1", b"Content-Length: \xb2",
    b"Content-Length: " + b"9" * 5000, b"Content-Length: 5\r\nContent-Length: 7",
    b"Content-Length: +5", b"Content-Length: 1_0", b"Content-Encoding: gzip",
    b"Content-Encoding: br", b"Content-Encoding: gzip, gzip", b"Content-Encoding: \x1b[2J",
    b"Transfer-Encoding: gzip, chunked", b"Connection: close", b"Connection: keep-alive",
    b"Content-Range: bytes 0-99/100", b"Content-Range: bytes 7-106/500", b"Age: 1e9",
    b"Content-Range: bytes */5", b"Content-Range: bytes 0-99/" + b"9" * 5000,
    b"Content-Range: bytes 400-499/500", b"Content-Range: bytes 99-0/1",
    b"Content-Range: bytes 7-106/" + b"9" * 30, b"Cache-Control: no-store",
    b'ETag: "x"', b"ETag: \xff\xfe", b"ETag: a\r\n b", b"ETag: \x0b\x1c\x85", b"ETag: \0",
    b"Last-Modified: x\r\n\ty", b"Cache-Control: max-age=" + b"9" * 5000,
    b"Cache-Control: max-age=600", b"Retry-After: 1", b"Retry-After: " + b"9" * 5000, b"no colon",
    b": x", b" folded", b"X: " + b"x" * 70_000, b"Content-Type: \xff", b"Content-Type: text/html",
    b"Content-Type: application/vnd.pypi.simple.v1+json\r\nContent-Type: x", b"=?utf-8?q?=0a?=: x",
)  # fmt: skip
_CHUNKS = (
    b"5\r\nabcde\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"-5\r\nabcde\r\n", b"5\nabcde\n",
    b"5;x=y\r\nabcde\r\n", b"\xb2\r\n", b"0x5\r\nabcde\r\n", b"5_0\r\n", b"f" * 5000 + b"\r\n",
    b"ffffffffffffffff\r\nabc", b"1;" + b"e" * 70_000 + b"\r\na\r\n", b" 5 \r\nabcde\r\n",
    b"1\r\nab\r\n", b"\r\n", b"5",
)  # fmt: skip
_BODIES = (
    b"", b"abcde", _PAGE, bytes(range(_LENGTH)), bytes(6000), gzip.compress(_PAGE), b"\x1f\x8b",
    gzip.compress(bytes(1 << 20)), gzip.compress(_PAGE) + b"x", gzip.compress(_PAGE)[:-4],
)  # fmt: skip


def make_index_answers(rng: Random) -> bytes:
    """Up to eight answers, each with a head that is nearly right."""
    number = rng.randrange(len(_USES)) | rng.choice([0, 0x80])
    return bytes([number]) + BETWEEN.join(make_answer(rng) for _ in range(rng.randrange(1, 9)))


def make_answer(rng: Random) -> bytes:
    """An answer with a head that is nearly right."""
    headers = rng.sample(_HEADERS, rng.randrange(4))
    status = rng.choice(_STATUS)
    if b" 30" in status:
        headers.append(b"Location: " + rng.choice(_LOCATIONS))
    body = rng.choice(_BODIES)
    match rng.randrange(4):
        case 0:
            headers.append(b"Transfer-Encoding: chunked")
            body = b"".join(rng.choice(_CHUNKS[:1] * 9 + _CHUNKS) for _ in range(rng.randrange(5)))
            body += rng.choice([b"0\r\n\r\n", b""])
        case 1 | 2:
            headers.append(b"Content-Length: %d" % len(body))
    interim = rng.choice([b""] * 9 + [b"HTTP/1.1 100 X\r\n\r\n", b"HTTP/1.1 103 X\r\nA: b\r\n\r\n"])
    head = b"\r\n".join([status, *headers, b"", b""])
    return noisy(rng, interim + head + body)
