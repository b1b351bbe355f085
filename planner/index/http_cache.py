"""Responses of indexes, used as long as HTTP allows and validated after that.

Source: RFC 9111 (HTTP caching), as far as a private cache of documents needs it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Self

from planner.index.cache import Cache
from schemas.data_class import frozen
from schemas.numbers import small_int

__all__ = ["CachedResponse", "HttpCache"]


_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=\"?(\d+)", re.IGNORECASE)


_NEVER = re.compile(r"(?:^|[,\s])no-store\b", re.IGNORECASE)


_ALWAYS_ASK = re.compile(r"(?:^|[,\s])no-cache\b", re.IGNORECASE)


@frozen(kw_only=True)
class CachedResponse:
    """A document, with the headers that say how long it may be used."""

    url: str
    """Its URL after redirects."""
    content_type: str
    content: bytes
    digest: str
    """SHA-256 of the body that the server sent; ``content`` may be an extract of that."""
    etag: str = ""
    last_modified: str = ""
    fresh_until: float = 0.0
    """Seconds since the epoch until which it may be used without a request."""

    @property
    def conditions(self) -> dict[str, str]:
        """The headers of a request for the document if it has changed. A server that folds a
        header, or has others than ASCII in it, is asked without: what is sent has one line (RFC
        9112, 5.2).
        """
        conditions = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {
            name: value
            for name, value in conditions.items()
            if value and value.isascii() and value.isprintable()
        }

    def to_bytes(self) -> bytes:
        """Return a line of JSON, then the content."""
        header = {
            "url": self.url,
            "content-type": self.content_type,
            "digest": self.digest,
            "etag": self.etag,
            "last-modified": self.last_modified,
            "fresh-until": self.fresh_until,
        }
        return json.dumps(header).encode() + b"\n" + self.content

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Return what ``to_bytes`` wrote; None for anything else."""
        line, _, content = data.partition(b"\n")
        try:
            header = json.loads(line)
            return cls(
                url=str(header["url"]),
                content_type=str(header["content-type"]),
                content=content,
                digest=str(header["digest"]),
                etag=str(header["etag"]),
                last_modified=str(header["last-modified"]),
                fresh_until=float(header["fresh-until"]),
            )
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None


class HttpCache:
    """Responses in ``cache``, all of which are validated if ``refresh``; owned by the client.

    ``now`` is the clock.
    """

    def __init__(
        self,
        cache: Cache | None,
        *,
        refresh: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._refresh = refresh
        self._now = now

    def find(self, url: str, accept: str) -> CachedResponse | None:
        """Return the cached response for ``url``, fresh or not; or None."""
        data = self._cache.read("pages", f"{accept} {url}") if self._cache else None
        return CachedResponse.from_bytes(data) if data is not None else None

    def is_fresh(self, kept: CachedResponse) -> bool:
        """Return whether it may be used without a request."""
        return not self._refresh and self._now() < kept.fresh_until

    def keep(
        self, url: str, accept: str, answer: CachedResponse, headers: Mapping[str, str]
    ) -> CachedResponse:
        """Cache ``answer`` as long as its ``headers`` allow, and return it as it is cached."""
        dated = self._dated(answer, headers)
        if self._cache and not _NEVER.search(headers.get("cache-control", "")):
            self._cache.write("pages", f"{accept} {url}", dated.to_bytes())
        return dated

    def renew(
        self, url: str, accept: str, kept: CachedResponse, headers: Mapping[str, str]
    ) -> CachedResponse:
        """Cache ``kept`` as long as ``headers`` allow, which say that it has not changed; return it
        as it is cached.
        """
        if self._dated(kept, headers) == kept:
            return kept
        return self.keep(url, accept, kept, headers)

    def _dated(self, answer: CachedResponse, headers: Mapping[str, str]) -> CachedResponse:
        seconds = _freshness(headers.get("cache-control", ""), headers.get("age", ""))
        return replace(
            answer,
            etag=headers.get("etag", answer.etag),
            last_modified=headers.get("last-modified", answer.last_modified),
            fresh_until=self._now() + seconds if seconds else 0.0,
        )


def _freshness(control: str, age: str) -> int:
    """Return the seconds for which a response is still fresh (RFC 9111, 4.2).

    Without a word of the server it is 0, so that a version that was just published is found.
    """
    found = _MAX_AGE.search(control)
    if not found or _ALWAYS_ASK.search(control):
        return 0
    return max(0, (small_int(found[1]) or 0) - (small_int(age) or 0))
