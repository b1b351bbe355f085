"""Responses of indexes: what their statuses mean, and their bodies in bounded pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import httpx

from executor import Arrival, DamagedGzip, GzipDecoder
from planner.index.errors import FileMissing, IndexAnswer, IndexDenied, IndexUnreachable
from schemas.numbers import small_int
from schemas.text import one_line
from schemas.urls import redacted

__all__ = [
    "CHUNK_SIZE",
    "MISSING_STATUS",
    "RETRIED_STATUS",
    "UPLOAD_RETRIED",
    "check_file",
    "check_status",
    "following",
    "is_stored",
    "iterate_body",
    "reason_of",
    "refuses_kind",
    "retry_after",
    "untrusted",
]


CHUNK_SIZE = 256 << 10


RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that a later attempt may not meet."""


UPLOAD_RETRIED = RETRIED_STATUS | {409}
"""Those of an upload: object stores answer 409 as long as another upload of the file goes on."""


MISSING_STATUS = frozenset({404, 410})
"""Statuses of a document or file that does not exist."""


_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
"""The beginning of the text of an OSError."""


def following(url: str, response: httpx.Response) -> httpx.Request:
    """Return the request that a redirect leads to.

    Raises IndexAnswer if it leads from https to http, or asks to read instead of to store (as 302
    and 303 do), before anything is sent there.
    """
    request = response.next_request
    assert request is not None
    if request.method != response.request.method:
        raise IndexAnswer(redacted(url), f"it answers PUT with a page ({_status(response)})")
    if response.url.scheme == "https" and request.url.scheme != "https":
        raise IndexAnswer(redacted(url), f"it redirects from https to {redacted(str(request.url))}")
    return request


def untrusted(url: str, error: httpx.TransportError) -> IndexUnreachable:
    """Return the error of a server whose certificate is not trusted."""
    return IndexUnreachable(
        redacted(url),
        f"its certificate is not trusted: {error}",
        hint="name your certificate authority with SSL_CERT_FILE",
    )


def reason_of(error: httpx.TransportError) -> str:
    """Return what went wrong with a connection, as text for the user."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return _ERRNO.sub("", str(error)) or type(error).__name__


def refuses_kind(response: httpx.Response) -> bool:
    """Return whether a server refuses HEAD or Range, for which there is no status in common.

    A signed URL may be valid for GET alone (403), some servers know no ranges (400, 405, 406, 501),
    and the file may be shorter than the suffix (416). Downloading the file
    then shows whether it is refused too.
    """
    status = response.status_code
    if status in MISSING_STATUS or status in RETRIED_STATUS or status == httpx.codes.UNAUTHORIZED:
        return False
    return response.is_client_error or status == httpx.codes.NOT_IMPLEMENTED


def check_file(response: httpx.Response) -> None:
    """Raise FileMissing, or what ``check_status`` raises, unless the response has a file."""
    if response.status_code in MISSING_STATUS:
        raise FileMissing(redacted(str(response.url)), f"the server answers {_status(response)}")
    check_status(response)


def is_stored(response: httpx.Response) -> bool:
    """Return whether an upload is stored; False if the server keeps what it has (RFC 9110, 13.1.2).

    Raises what ``check_file`` raises.
    """
    if response.status_code == httpx.codes.PRECONDITION_FAILED:
        return False
    check_file(response)
    return True


def check_status(response: httpx.Response) -> None:
    if not response.is_success:
        url, problem = redacted(str(response.url)), f"the server answers {_status(response)}"
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise IndexDenied(url, problem, response.status_code == httpx.codes.FORBIDDEN)
        raise IndexAnswer(url, problem)


def _status(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


def iterate_body(response: httpx.Response, limit: int) -> Iterator[bytes]:
    """Yield the body, decoded, in pieces of at most ``CHUNK_SIZE`` bytes.

    httpx's decoders would make gigabytes from one received chunk. Raises IndexAnswer if there are
    more than ``limit`` bytes, received or decoded, or an encoding that the request did not accept.
    """
    url = redacted(str(response.url))
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise IndexAnswer(
            url, f"it is encoded as {one_line(encoding, 80)!r}, which was not accepted"
        )
    # As it arrives: a chunk of a certain size might never be full.
    received = _bounded(response.iter_raw(), limit, url)
    content = received
    if encoding not in {"", "identity"}:
        content = _bounded(_gunzipped(received, url), limit, url)
    arrival: Arrival | None = response.request.extensions.get("arrival")
    return content if arrival is None else _used(content, arrival)


def _used(content: Iterable[bytes], arrival: Arrival) -> Iterator[bytes]:
    for piece in content:
        arrival.used(len(piece))
        yield piece


def _bounded(chunks: Iterable[bytes], limit: int, url: str) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise IndexAnswer(url, f"the response has more than {limit} bytes")
        yield chunk


def _gunzipped(chunks: Iterable[bytes], url: str) -> Iterator[bytes]:
    decoder = GzipDecoder(CHUNK_SIZE)
    for chunk in chunks:
        if decoder.is_complete:
            raise IndexAnswer(url, "bytes follow the end of its gzip encoding")
        try:
            yield from decoder.pieces(chunk)
        except DamagedGzip:
            raise IndexAnswer(url, "its gzip encoding is damaged") from None
    if not decoder.is_complete:
        raise httpx.ReadError("its gzip encoding ends too early")


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of RFC 9110, 10.2.3; its other form, a date, is ignored."""
    seconds: str = response.headers.get("Retry-After", "")
    found = small_int(seconds)
    return None if found is None else float(found)
