"""Responses of servers to our reader of HTTP/1.1, with http.client as the judge.

What both take means the same to both, and does so in whatever pieces it arrives. Ours takes less:
no head that is cut, no line that is no header, no length or chunk that can be understood in two
ways. It passes over interim responses, and knows a connection that must not be used again.
"""

from __future__ import annotations

import http.client
import io
import re
from random import Random
from typing import Any, NamedTuple, cast

from executor import HttpError, Pace, PacedResponse, Retryable
from helpers.answer_bytes import AnswerBytes
from helpers.client_readers import make_answer
from helpers.service_readers import noisy

__all__ = ["make_response", "read_response"]

_PIECES = (1, 2, 3, 5, 17, 300, 4096)
_FOLD = re.compile(r"\r?\n[ \t]+")


class _Read(NamedTuple):
    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    will_close: bool


class _Judge(http.client.HTTPResponse):
    """Passes over all interim responses, not 100 alone."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, reason = super()._read_status()  # type: ignore[misc]  # of the base class
        return version, 100 if 100 < status < 200 and status != 101 else status, reason


class _File:
    """Enough of a socket for http.client."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(cast("Any", io.BytesIO(self._answer)))


def _ours(answer: bytes, method: str, piece: int) -> _Read | None:
    """What our reader makes of an answer; None if that is an error of ours."""
    sock: Any = AnswerBytes(answer, piece=piece)
    response = PacedResponse(Pace(9e9, 15.0), sock, method)
    try:
        response.begin()
        body = b"".join(iter(lambda: response.read1(1 << 20), b""))
    except (HttpError, Retryable):
        return None
    assert response.is_complete
    return _Read(response.status, response.reason, response.headers, body, response.will_close)


def _judged(answer: bytes, method: str) -> _Read | None:
    """What http.client makes of an answer; None if that is an error of its own."""
    sock: Any = _File(answer)
    response = _Judge(sock, method=method)
    try:
        response.begin()
        coding = response.headers.get("transfer-encoding", "")
        if coding != coding.strip(" \t"):
            return None  # it takes blanks behind a value for a part of it (RFC 9112, 5.1)
        body = b"".join(iter(lambda: response.read1(1 << 20), b""))
    except (http.client.HTTPException, ValueError, OSError):
        return None
    headers = {
        name.lower(): ", ".join(
            _FOLD.sub(" ", value).strip(" \t") for value in response.headers.get_all(name, [])
        )
        for name in response.headers
    }
    return _Read(response.status, response.reason, headers, body, response.will_close)


def read_response(data: bytes) -> None:
    """The first byte chooses the method of the request, and in what pieces the answer arrives."""
    number, answer = (data[:1] or b"\0")[0], data[1:]
    method, piece = "HEAD" if number & 0x80 else "GET", _PIECES[number % len(_PIECES)]
    ours = _ours(answer, method, 1 << 20)
    in_pieces = _ours(answer, method, piece)
    assert (ours and ours[:4]) == (in_pieces and in_pieces[:4])
    judged = _judged(answer, method)
    if ours is None or judged is None:
        return
    if ours.status in {101, 204, 304}:
        judged = judged._replace(body=b"")  # it reads chunks that such an answer cannot have
    assert ours[:4] == judged[:4]
    # It closes for "closed", too, and asks an old server again for "keep-alive, close".
    if "connection" not in ours.headers:
        assert ours.will_close or not judged.will_close


def make_response(rng: Random) -> bytes:
    """An answer that is nearly right."""
    return bytes([rng.randrange(256)]) + noisy(rng, make_answer(rng))
