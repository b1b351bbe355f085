"""Which URLs the client requests, and where a redirect may lead."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urljoin, urlsplit

from executor.sources.errors import Unreachable
from schemas.urls import has_unquoted_login, redacted

__all__ = ["LOCK_AGAIN", "MALFORMED", "URL_CHARACTERS", "following", "split"]


URL_CHARACTERS = "%!#$&'()*+,/:;=?@[]~"
"""Characters that have a meaning in a URL; all others but letters and digits are quoted, as
browsers do."""


MALFORMED = "the URL, or one that it redirects to, is malformed"


LOCK_AGAIN = "lock again from an index whose URLs are well-formed"


def split(url: str, locked: str, base: str = "") -> SplitResult:
    """Return the parts of ``url``, which may be relative to ``base``.

    ``locked`` is the URL of the lock that led to it. Raises Unreachable if it is malformed.
    """
    try:
        parts = urlsplit(urljoin(base, url))
        if parts.hostname and parts.port != 0 and not has_unquoted_login(url):
            return parts
    except ValueError:
        pass
    raise Unreachable(redacted(locked), MALFORMED, hint=LOCK_AGAIN)


def following(parts: SplitResult, status: int, location: str | None, locked: str) -> str:
    """Return the URL that a redirect from ``parts`` to ``location`` leads to.

    Raises Unreachable.
    """
    url = parts.geturl()
    if not location:
        raise Unreachable(redacted(url), f"the server redirects ({status}) without a location")
    # Headers are read as Latin-1; servers send UTF-8.
    there = split(quote(location.encode("latin-1"), URL_CHARACTERS), locked, base=url)
    if there.scheme not in {"https", parts.scheme}:
        fault = "not secure" if there.scheme == "http" else "not supported"
        raise Unreachable(
            redacted(url), f"the server redirects to {redacted(there.geturl())}, which is {fault}"
        )
    if there.username is None and _origin(there) == _origin(parts):
        there = there._replace(netloc=parts.netloc)
    return there.geturl()


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port
