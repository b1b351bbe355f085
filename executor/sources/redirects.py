"""Redirects: which URLs can be asked, and where a redirect may lead."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urljoin, urlsplit

from executor.sources.errors import Unreachable
from schemas.urls import redacted

__all__ = ["LOCK_AGAIN", "MALFORMED", "URL_CHARACTERS", "following", "split"]


URL_CHARACTERS = "%!#$&'()*+,/:;=?@[]~"
"""All that has a meaning in a URL; what else is not plain ASCII text is quoted, as browsers do."""


MALFORMED = "it, or what it redirects to, is malformed"


LOCK_AGAIN = "lock again from an index whose URLs are well-formed"


def split(url: str, locked: str, base: str = "") -> SplitResult:
    """The parts of ``url``, found at ``base``. ``locked`` is the URL that led to it.

    Raises Unreachable where it cannot be asked.
    """
    try:
        parts = urlsplit(urljoin(base, url))
        if parts.hostname and (parts.port is None or parts.port):
            return parts
    except ValueError:
        pass
    raise Unreachable(redacted(locked), MALFORMED, hint=LOCK_AGAIN)


def following(parts: SplitResult, status: int, location: str | None, locked: str) -> str:
    """The URL that a redirect from ``parts`` to ``location`` leads to. Raises Unreachable."""
    url = parts.geturl()
    if not location:
        raise Unreachable(redacted(url), f"it redirects ({status}) and does not say where")
    # http.client reads headers as Latin-1; on the wire were bytes, in UTF-8 where not ASCII.
    there = split(quote(location.encode("latin-1"), URL_CHARACTERS), locked, base=url)
    if there.scheme not in {"https", parts.scheme}:
        fault = "which is not secure" if there.scheme == "http" else "which is not spoken"
        raise Unreachable(redacted(url), f"it redirects to {redacted(there.geturl())}, {fault}")
    if there.username is None and _origin(there) == _origin(parts):
        there = there._replace(netloc=parts.netloc)
    return there.geturl()


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port
