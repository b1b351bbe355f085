"""Entries of project pages: which of them are usable.

Source: https://packaging.python.org/specifications/simple-repository-api/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from schemas.urls import redacted

__all__ = [
    "DISTRIBUTIONS",
    "are_plain",
    "is_plain",
    "is_usable",
    "name_in",
    "split_links",
]


DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")
"""The suffixes of file names that planning can use."""


_PLAIN = re.compile(
    r"(?:https?://[A-Za-z0-9.-]++(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?/)?[ -9;-Z^-~]*+"
)
"""URLs that need no closer look: without a scheme of another kind, a large port, or brackets.
Ignoring case would take twice as long."""


is_plain = _PLAIN.fullmatch


_PLAIN_BYTES = bytes([*range(0x20, 0x5B), *range(0x5E, 0x7F)])
"""The characters of such URLs, with the colons of what precedes the path."""


_MAX_SHOWN = 100
"""Characters of a broken link that are shown."""


def split_links(
    entries: Iterable[dict[str, Any]], base: str
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the entries that name a file and have a usable URL, and the URLs that are not usable.

    An entry without a name gets that of its URL. Links without a file name are not files.
    """
    usable: list[dict[str, Any]] = []
    broken: list[str] = []
    for entry in entries:
        url, filename = entry.get("url"), entry.get("filename")
        if not isinstance(url, str) or not url:
            continue
        if not is_usable(url, base):
            broken.append(_shown(url))
            continue
        if not isinstance(filename, str) or not filename:
            filename = name_in(url)
        if filename:
            usable.append({**entry, "filename": filename})
    return usable, tuple(broken)


def is_usable(url: str, base: str) -> bool:
    """Return whether ``url``, which may be relative to ``base``, can be requested."""
    # A page has thousands of URLs, nearly all of which are plain.
    if is_plain(url):
        return True
    try:
        parts = urlsplit(url if "://" in url else urljoin(base, url))
        is_file = parts.scheme == "file" and base.startswith("file:")
        is_remote = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        return is_file or is_remote
    except ValueError:
        return False


def are_plain(links: Sequence[str]) -> bool:
    """Return whether all ``links`` are plain and begin alike, in a quarter of the time that it
    takes to look at each: those of a page lead to one server.
    """
    if not links:
        return True
    scheme, colon, rest = links[0].partition("://")
    host, slash, _ = rest.partition("/")
    origin = f"{scheme}{colon}{host}{slash}" if colon else ""
    # What lies between two texts that begin with the origin in their order begins with it, too.
    if not (is_plain(origin) and min(links).startswith(origin) and max(links).startswith(origin)):
        return False
    text = "".join(links)
    if not text.isascii() or text.count(":") != len(links) * origin.count(":"):
        return False
    return not text.encode().translate(None, _PLAIN_BYTES)


def name_in(url: str) -> str:
    """Return the last part of the path of a URL. Raises ValueError if it is malformed."""
    return unquote(urlsplit(url.partition("#")[0]).path.rpartition("/")[2])


def _shown(url: str) -> str:
    shown = redacted(url)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."
