"""The client of package indexes: the one place where planning meets the network.

The other modules read pages, parts of files and whole files through it. Its errors have URLs that
carry no credentials.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import IO, Self, TypeVar

from executor import (
    TRANSIENT,
    Keychain,
    Recorder,
    Retryable,
)
from planner.index.cache import Cache
from planner.index.errors import NotCached
from planner.index.http_cache import CachedResponse, HttpCache
from planner.index.requester import Requester
from planner.index.response import (
    MISSING_STATUS,
    SUFFIX_RETRIED,
    UPLOAD_RETRIED,
    Response,
    check_document,
    check_file,
    is_stored,
    iterate_body,
    range_of,
    refuse_part,
    refuses_kind,
)
from planner.index.upload import Upload
from schemas.data_class import frozen
from schemas.numbers import small_int
from schemas.urls import redacted

__all__ = ["Answer", "IndexClient", "Part"]


T = TypeVar("T")
"""What is made of a response."""


DOCUMENT_SECONDS = 600.0
"""For one document, or a part of a file, with all its attempts; the largest pages have 40 MB."""


FILE_SECONDS = 4 * 3600.0
"""For a whole file, which may be a wheel of gigabytes."""


_OK, _NOT_MODIFIED, _BROKEN = 200, 304, 500


@frozen
class Answer:
    """A whole document of a server or of the cache."""

    url: str
    """Its URL after redirects, to which its links are relative."""
    content_type: str
    content: bytes
    digest: str = ""
    """SHA-256 of the body that the server sent; ``content`` may be an extract of that."""
    fresh_until: float = 0.0
    """Seconds since the epoch until which the document need not be requested again."""


@frozen
class Part:
    """A part of a file."""

    offset: int
    """Position of the first byte of ``content`` in the file."""
    content: bytes
    total: int
    """Bytes of the whole file."""


class IndexClient:
    """Reads from package indexes, over one pool of connections. Many threads may use it.

    ``cache`` keeps documents. With ``offline`` only those can be read, of any age; with ``refresh``
    each is validated with its server.
    """

    def __init__(
        self,
        *,
        keychain: Keychain | None = None,
        cache: Cache | None = None,
        offline: bool = False,
        refresh: bool = False,
        trusted_hosts: Iterable[str] = (),
        pause: Callable[[float], None] = time.sleep,
        recorder: Recorder | None = None,
    ) -> None:
        self.keychain = keychain or Keychain(environment={})
        self.cache = cache
        self._pages = HttpCache(cache, refresh=refresh)
        self.is_refreshed = refresh
        """Whether each cached document is validated with its server."""
        self._offline = offline
        self._requested: set[tuple[str, str]] = set()
        """Documents that were requested before: one plan sees one state of its indexes."""
        self._requester = Requester(
            self.keychain, trusted_hosts=trusted_hosts, pause=pause, recorder=recorder
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._requester.close()

    @property
    def requests(self) -> int:
        """Return how many requests were sent, roughly."""
        return self._requester.sent

    def get(
        self,
        url: str,
        *,
        accept: str,
        limit: int,
        shorten: Callable[[Answer], Answer] | None = None,
        is_kept: bool = True,
    ) -> Answer | None:
        """Return the document at ``url``, of at most ``limit`` bytes; None if there is not one
        (HTTP 404). With ``shorten``, what that makes of the document is cached and returned; if not
        ``is_kept``, the cache takes no part.

        Raises NotCached, IndexUnreachable, IndexAnswer, IndexDenied, and what ``shorten`` raises.
        """
        pages = self._pages if is_kept else HttpCache(None)
        kept = pages.find(url, accept)
        if kept and (self._offline or self._is_known(url, accept, kept)):
            return _to_answer(kept)

        def read(response: Response) -> Answer | None:
            if response.status in MISSING_STATUS:
                return None
            content, digest = b"", ""
            if response.status != _NOT_MODIFIED or kept is None:
                check_document(response)
                content = b"".join(iterate_body(response, limit))
                digest = sha256(content).hexdigest()
            # Not every server says that nothing changed; then the same document does.
            if kept and digest in {"", kept.digest}:
                return _to_answer(pages.renew(url, accept, kept, response.headers))
            answer = Answer(response.url, response.headers.get("content-type", ""), content)
            if shorten:
                answer = shorten(answer)
            found = CachedResponse(
                url=answer.url,
                content_type=answer.content_type,
                content=answer.content,
                digest=digest,
            )
            return _to_answer(pages.keep(url, accept, found, response.headers))

        headers = {"Accept": accept, **(kept.conditions if kept else {})}
        answer = self._request("GET", url, headers, read)
        self._requested.add((url, accept))
        return answer

    def _is_known(self, url: str, accept: str, kept: CachedResponse) -> bool:
        return (url, accept) in self._requested or self._pages.is_fresh(kept)

    def get_part(self, url: str, *, offset: int | None, length: int) -> Part | None:
        """Return ``length`` bytes of the file at ``url`` from ``offset``, or its last ``length``
        bytes if ``offset`` is None; fewer if the file ends. None if the server sends anything but
        that part, as RFC 9110 (14.2) allows, or refuses ranges.

        Raises FileMissing, IndexUnreachable, IndexAnswer and IndexDenied.
        """
        spelled = f"-{length}" if offset is None else f"{offset}-{offset + length - 1}"

        def read(response: Response) -> Part | None:
            if response.status in {_OK, _BROKEN} or refuses_kind(response):
                return None
            check_file(response)
            found = range_of(response)
            if not found or "content-encoding" in response.headers:
                return None
            first, last, total = found
            start = max(0, total - length) if offset is None else offset
            if (first, last) != (start, min(start + length, total) - 1):
                return None
            content = b"".join(iterate_body(response, length))
            if len(content) != last - first + 1:
                raise Retryable("the response ends before its last byte")
            return Part(first, content, total)

        # A part of a compressed body would not be a part of the file.
        headers = {"Range": f"bytes={spelled}", "Accept-Encoding": "identity"}
        retried = SUFFIX_RETRIED if offset is None else TRANSIENT
        return self._request("GET", url, headers, read, retried=retried)

    def get_size(self, url: str) -> int | None:
        """Return the bytes of the file at ``url``; None if the server does not state them.

        Raises FileMissing, IndexUnreachable, IndexAnswer and IndexDenied.
        """

        def read(response: Response) -> int | None:
            if refuses_kind(response):
                return None
            check_file(response)
            length: str = response.headers.get("content-length", "")
            return small_int(length)

        return self._request("HEAD", url, {"Accept-Encoding": "identity"}, read)

    def download(self, url: str, *, limit: int) -> IO[bytes]:
        """Return the whole file at ``url``, of at most ``limit`` bytes, in an unnamed file on disk.

        Raises FileMissing, IndexUnreachable, IndexAnswer and IndexDenied.
        """
        import tempfile  # noqa: PLC0415  # few files are read as a whole

        def read(response: Response) -> IO[bytes]:
            check_file(response)
            refuse_part(response)
            file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
            try:
                for chunk in iterate_body(response, limit):
                    file.write(chunk)
            except BaseException:
                file.close()
                raise
            return file

        return self._request(
            "GET", url, {"Accept-Encoding": "identity"}, read, seconds=FILE_SECONDS
        )

    def upload(self, url: str, content: Upload) -> bool:
        """Store ``content`` at ``url`` (HTTP PUT); return False if the server has a file there
        already and therefore stored nothing.

        It is asked to keep what it has (RFC 9110, 13.1.2); one that does not know that condition
        exchanges the file. Raises FileMissing, IndexUnreachable, IndexAnswer and IndexDenied.
        """
        headers = {"If-None-Match": "*", "Content-Length": str(content.size)}
        return self._request(
            "PUT",
            url,
            headers,
            is_stored,
            seconds=FILE_SECONDS,
            content=content,
            retried=UPLOAD_RETRIED,
        )

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        read: Callable[[Response], T],
        *,
        seconds: float | None = None,
        content: Upload | None = None,
        retried: frozenset[int] = TRANSIENT,
    ) -> T:
        """Return what ``read`` makes of the response, as ``Requester.request`` does."""
        if self._offline:
            raise NotCached(redacted(url))
        return self._requester.request(
            method,
            url,
            headers,
            read,
            seconds=seconds or DOCUMENT_SECONDS,
            content=content,
            retried=retried,
        )


def _to_answer(kept: CachedResponse) -> Answer:
    return Answer(kept.url, kept.content_type, kept.content, kept.digest, kept.fresh_until)
