"""Requests to indexes: a URL as it is sent, with its method and headers."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from planner.index.errors import IndexAnswer
from planner.index.upload import Upload
from schemas.data_class import frozen
from schemas.urls import redacted

__all__ = ["URL_CHARACTERS", "Request", "split_url"]


URL_CHARACTERS = "%!#$&'()*+,/:;=?@[]~"
"""Characters that have a meaning in a URL; others are quoted."""


_IMPOSSIBLE = re.compile(r"[\x00-\x20\x7f]")
"""What no host name has."""


_PORTS = {"http": 80, "https": 443}


@frozen
class Request:
    """One request, without the redirects that it may lead to."""

    method: str
    parts: SplitResult
    """Those of ``split_url``."""
    headers: dict[str, str]
    content: Upload | None = None

    @property
    def url(self) -> str:
        return self.parts.geturl()


def split_url(url: str) -> SplitResult:
    """Return the parts of a URL that can be requested: host names in lower case and ASCII, and no
    port that the scheme has anyway.

    Raises IndexAnswer if it cannot be requested.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise IndexAnswer(redacted(url), str(error)) from None
    if parts.scheme not in _PORTS or not host:
        raise IndexAnswer(redacted(url), "it is missing an 'http://' or 'https://' protocol")
    if port == 0:
        raise IndexAnswer(redacted(url), "its port is 0")
    if _IMPOSSIBLE.search(host):
        raise IndexAnswer(redacted(url), "its host name is malformed")
    try:
        name = host if ":" in host else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise IndexAnswer(redacted(url), "its host name is malformed") from None
    name = f"[{name}]" if ":" in name else name
    if port is not None and port != _PORTS[parts.scheme]:
        name = f"{name}:{port}"
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{name}")
