"""Responses of indexes: what their statuses mean, and their bodies in bounded pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urljoin

from executor import (
    MAX_REQUESTED_SECONDS,
    TRANSIENT,
    DamagedGzip,
    GzipDecoder,
    HttpError,
    PacedResponse,
    Retryable,
    Untrusted,
    other_login,
    reason_of,
    requested_pause,
)
from planner.index.errors import FileMissing, IndexAnswer, IndexDenied, IndexUnreachable
from planner.index.request import URL_CHARACTERS
from schemas.content_coding import compressions
from schemas.text import one_line
from schemas.urls import redacted

__all__ = [
    "CHUNK_SIZE",
    "MISSING_STATUS",
    "SUFFIX_RETRIED",
    "UPLOAD_RETRIED",
    "Response",
    "Unavailable",
    "check_document",
    "check_file",
    "check_status",
    "following",
    "is_stored",
    "iterate_body",
    "range_of",
    "refuse_part",
    "refuses_kind",
    "untrusted",
]


CHUNK_SIZE = 256 << 10


SUFFIX_RETRIED = TRANSIENT - {500}
"""Those of a request for the last bytes of a file: twisted answers 500 if it has fewer."""


UPLOAD_RETRIED = TRANSIENT | {409}
"""Those of an upload: object stores answer 409 as long as another upload of the file goes on."""


MISSING_STATUS = frozenset({404, 410})
"""Statuses of a document or file that does not exist."""


_DOCUMENTS = frozenset({200, 203, 206})
"""Those of a document, of one that a proxy may have changed, and of a part of one."""


_REDIRECTS = frozenset({301, 302, 303, 307, 308})


_REDIRECTS_TO_GET = {302, 303}
"""Those that every client follows by reading (RFC 9110, 15.4)."""


_UNAUTHORIZED, _FORBIDDEN, _PRECONDITION_FAILED, _NOT_IMPLEMENTED = 401, 403, 412, 501
_PARTIAL = 206


_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


_RECEIVED = 128 << 10
"""Bytes of a body that are read at once, at most."""


class Response:
    """The answer to one request; the client owns it, and closes it."""

    def __init__(
        self, method: str, url: str, raw: PacedResponse, *, has_login: bool = False
    ) -> None:
        self.method = method
        self.url = url
        self.has_login = has_login
        """Whether a login was sent with the request."""
        self.status: int = raw.status
        self.reason: str = raw.reason
        self.headers = raw.headers
        """By name in lower case; what comes several times is one list."""
        self._raw = raw
        self._length = raw.length

    @property
    def is_success(self) -> bool:
        """Whether the server has done what was requested: 202 and 204 bring no document."""
        if self.method in {"GET", "HEAD"}:
            return self.status in _DOCUMENTS
        return 200 <= self.status < 300

    @property
    def location(self) -> str | None:
        """Where the server redirects to; None if it does not."""
        return self.headers.get("location") if self.status in _REDIRECTS else None

    @property
    def received(self) -> int:
        """Bytes of the body so far, as the server sent them."""
        return self._raw.arrived

    def used(self, size: int) -> None:
        """Record that ``size`` bytes that were read are of use."""
        self._raw.used(size)

    def _read(self) -> bytes:
        try:
            return self._raw.read1(_RECEIVED)
        except (OSError, HttpError) as error:
            raise Retryable(reason_of(error)) from None

    def body(self) -> Iterator[bytes]:
        """Yield the body in pieces, as it arrives. Raises Retryable if it does not arrive whole."""
        raw = self._raw
        while chunk := self._read():
            raw.arrived += len(chunk)
            yield chunk
        if self._length is not None and raw.arrived < self._length:
            raise Retryable(f"the body ended after {raw.arrived} of {self._length} bytes")


class Unavailable(Retryable):
    """A server says that a later attempt may succeed."""

    def __init__(self, response: Response) -> None:
        pause = requested_pause(response.headers.get("retry-after", ""))
        asks = ""
        if pause is not None and pause > MAX_REQUESTED_SECONDS:
            asks = f", and asks to come back in {pause:.0f} seconds"
        super().__init__(f"the server answers {response.status}{asks}", pause)


def following(url: str, response: Response) -> str:
    """Return the URL that a redirect leads to, relative to that of ``response``; ``url`` was asked
    for.

    Raises IndexAnswer if it leads from https to http, asks to read instead of to store (as 302 and
    303 do), or is malformed, before anything is sent there.
    """
    if response.method not in {"GET", "HEAD"} and response.status in _REDIRECTS_TO_GET:
        status = _status(response)
        raise IndexAnswer(redacted(url), f"it answers {response.method} with a page ({status})")
    # Headers are read as Latin-1; servers send UTF-8.
    location = quote((response.location or "").encode("latin-1"), URL_CHARACTERS)
    try:
        there = urljoin(response.url, location)
    except ValueError as error:
        raise IndexAnswer(redacted(url), f"it redirects elsewhere: {error}") from None
    if response.url.startswith("https:") and not there.startswith("https:"):
        raise IndexAnswer(redacted(url), f"it redirects from https to {redacted(there)}")
    if not there.startswith(("http:", "https:")):
        raise IndexAnswer(redacted(url), f"it redirects to {redacted(there)}, not supported")
    return there


def untrusted(url: str, error: Untrusted) -> IndexUnreachable:
    """Return the error of a server whose certificate is not trusted."""
    return IndexUnreachable(
        redacted(url),
        f"its certificate is not trusted: {error.reason}",
        hint=error.hint,
    )


def range_of(response: Response) -> tuple[int, int, int] | None:
    """Return which bytes of a file a response has: the first, the last, and how many the file has;
    None if it does not say so (RFC 9110, 14.4).
    """
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def check_document(response: Response) -> None:
    """Raise IndexAnswer or IndexDenied unless the response has a whole document."""
    check_status(response)
    refuse_part(response)


def refuse_part(response: Response) -> None:
    """Raise IndexAnswer if a whole file was requested, and the response is a part of it."""
    found = range_of(response) if response.status == _PARTIAL else None
    if found and found[:2] != (0, found[2] - 1):
        raise IndexAnswer(
            redacted(response.url), f"it sends a part that was not requested ({_status(response)})"
        )


def refuses_kind(response: Response) -> bool:
    """Return whether a server refuses HEAD or Range, for which there is no status in common.

    A signed URL may be valid for GET alone (403), some servers know no ranges (400, 405, 406, 501),
    and the file may be shorter than the suffix (416). Downloading the file
    then shows whether it is refused too.
    """
    status = response.status
    if status in MISSING_STATUS or status in TRANSIENT or status == _UNAUTHORIZED:
        return False
    return 400 <= status < 500 or status == _NOT_IMPLEMENTED


def check_file(response: Response) -> None:
    """Raise FileMissing, or what ``check_status`` raises, unless the response has a file."""
    if response.status in MISSING_STATUS:
        raise FileMissing(redacted(response.url), f"the server answers {_status(response)}")
    check_status(response)


def is_stored(response: Response) -> bool:
    """Return whether an upload is stored; False if the server keeps what it has (RFC 9110, 13.1.2).

    Raises what ``check_file`` raises.
    """
    if response.status == _PRECONDITION_FAILED:
        return False
    check_file(response)
    return True


def check_status(response: Response) -> None:
    """Raise IndexAnswer or IndexDenied unless the status is that of a success."""
    if not response.is_success:
        url, problem = redacted(response.url), f"the server answers {_status(response)}"
        if response.status in {_UNAUTHORIZED, _FORBIDDEN}:
            problem += other_login(response.headers)
            is_forbidden = response.status == _FORBIDDEN
            raise IndexDenied(url, problem, is_forbidden, response.has_login)
        raise IndexAnswer(url, problem)


def _status(response: Response) -> str:
    return one_line(f"{response.status} {response.reason}".strip(), 80)


def iterate_body(response: Response, limit: int) -> Iterator[bytes]:
    """Yield the body, decoded, in pieces of at most ``CHUNK_SIZE`` bytes.

    A few kilobytes could become gigabytes. Raises IndexAnswer if there are more than ``limit``
    bytes, received or decoded, or a compression that the request did not accept, and what
    ``Response.body`` raises.
    """
    url = redacted(response.url)
    encoding = response.headers.get("content-encoding", "")
    made = compressions(encoding)
    if made not in ([], ["gzip"]):
        raise IndexAnswer(
            url, f"it is encoded as {one_line(encoding, 80)!r}, which was not accepted"
        )
    content = received = _bounded(response.body(), limit, url)
    if made:
        content = _bounded(_gunzipped(received, url), limit, url)
    for piece in content:
        response.used(len(piece))
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
        if not decoder.goes_on(chunk):
            raise IndexAnswer(url, "bytes follow the end of its gzip encoding")
        try:
            yield from decoder.pieces(chunk)
        except DamagedGzip:
            raise IndexAnswer(url, "its gzip encoding is damaged") from None
    if not decoder.is_complete:
        raise Retryable("its gzip encoding ends too early")
