"""Which URLs the client requests, and where a redirect may lead."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urljoin, urlsplit

from executor.sources.errors import Unreachable
from schemas.urls import has_unquoted_login, redacted

__all__ = ["LOCK_AGAIN", "MALFORMED", "URL_CHARACTERS", "following", "led_to", "split"]


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
    quoted = quote(location.encode("latin-1"), URL_CHARACTERS)
    scheme = urlsplit(quoted.partition("/")[0]).scheme or parts.scheme
    if scheme not in {"https", parts.scheme}:
        fault = "not secure" if scheme == "http" else "not supported"
        raise Unreachable(
            redacted(url), f"the server redirects to {redacted(quoted)}, which is {fault}"
        )
    there = split(quoted, locked, base=url)
    if there.username is None and _origin(there) == _origin(parts):
        there = there._replace(netloc=parts.netloc)
    return there.geturl()


def led_to(url: str, there: str, problem: str) -> str:
    """Return the ``problem`` of a request for ``url`` that redirects have led to ``there``, with
    the name of the server if it is another one.
    """
    server, other = (urlsplit(address).netloc.rpartition("@")[2] for address in (url, there))
    return problem if other == server else f"it redirects to {other}: {problem}"


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port
