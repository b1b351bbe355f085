"""The body of a response as the bytes of a file: in chunks, decoded, and no web page."""

from __future__ import annotations

from collections.abc import Iterator

from executor.archive.gzip_decoder import DamagedGzip, GzipDecoder
from executor.sources.errors import Unreachable
from executor.sources.http1 import MAX_SHOWN, HttpError
from executor.sources.response import CHUNK, PacedResponse, reason_of
from executor.sources.retries import Retryable
from schemas.content_coding import compressions
from schemas.text import one_line
from schemas.urls import redacted

__all__ = ["is_encoded", "not_a_page", "page_type", "read_body"]


_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b")
"""What wheels and source distributions begin with."""


def page_type(response: PacedResponse) -> str:
    """Return the media type of a response that says that it is a web page; else nothing."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind if kind in {"text/html", "application/xhtml+xml"} else ""


def not_a_page(body: Iterator[bytes], kind: str, url: str) -> Iterator[bytes]:
    """Yield a whole ``body`` of the type ``kind``, which servers that know no wheels say of all
    files. Raises Unreachable if it is a page; ``url`` is for the message.
    """
    first = next(body, b"")
    if not first or not any(begin.startswith(first[: len(begin)]) for begin in _ARCHIVES):
        raise Unreachable(
            redacted(url),
            f"the server answered with a web page ({kind})",
            hint="check whether the network requires a sign-in, or a proxy requires a password",
        )
    yield first
    yield from body


def is_encoded(response: PacedResponse, url: str, size: int | None) -> bool:
    """Return whether the server compressed the body, although the request did not accept that.

    A body of the ``size`` of the file is the file as it is, and what no compression is called, such
    as ``aws-chunked`` or ``binary``, says nothing of the body. ``url`` is for the message. Raises
    Unreachable for another compression than gzip.
    """
    stated = response.headers.get("content-encoding")
    if stated is None or (response.length is not None and response.length == size):
        return False
    made = compressions(stated)
    if made in ([], ["gzip"]):
        return bool(made)
    raise Unreachable(
        redacted(url),
        f"the server sent it encoded as {one_line(stated, MAX_SHOWN)!r}, which the request did "
        "not accept",
        hint="configure the server, or the proxy in front of it, to send files unencoded",
    )


def read_body(response: PacedResponse, *, decode: bool, size: int | None = None) -> Iterator[bytes]:
    """Yield the body in chunks of at most 128 KiB. A chunk ends after ``size`` bytes, if that is
    known: what follows the file may be long in coming.

    Raises Retryable if it ends early or is damaged.
    """
    expected = response.length
    arrived = 0
    decoder = GzipDecoder(CHUNK)
    while chunk := _read(response, _missing(size, arrived), counts=not decode):
        arrived += len(chunk)
        if not decode:
            yield chunk
            continue
        if not decoder.goes_on(chunk):
            raise Retryable("bytes follow the end of its gzip encoding")
        try:
            for content in decoder.pieces(chunk):
                response.used(len(content))
                yield content
        except DamagedGzip:
            raise Retryable("its gzip encoding is damaged") from None
    if expected is not None and arrived < expected:
        raise Retryable(f"the connection ended after {arrived} bytes")
    if decode and not decoder.is_complete:
        raise Retryable("its gzip encoding ends too early")


def _missing(size: int | None, arrived: int) -> int:
    """Return how many bytes to read next."""
    return CHUNK if size is None or arrived >= size else min(CHUNK, size - arrived)


def _read(response: PacedResponse, missing: int, *, counts: bool) -> bytes:
    """Return the next chunk, of ``missing`` bytes if they come; empty at the end. If ``counts``,
    all of it is of the file.
    """
    # Not response.read(): that waits for the whole chunk, however slowly it comes.
    parts: list[bytes] = []
    while missing:
        try:
            part = response.read1(missing)
        except (OSError, HttpError, Retryable) as error:
            if parts:
                # The error shows again at the next read; the bytes before it count.
                break
            if isinstance(error, Retryable):
                raise
            raise Retryable(reason_of(error)) from None
        if not part:
            break
        parts.append(part)
        missing -= len(part)
        response.arrived += len(part)
        if not counts:
            break  # what it decodes to counts, before more is read
        response.used(len(part))
    return parts[0] if len(parts) == 1 else b"".join(parts)
