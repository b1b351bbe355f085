"""Entries of project pages: links of a page in HTML, and which entries of any page are usable.

Source: https://packaging.python.org/specifications/simple-repository-api/.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from planner.index.errors import IndexAnswer
from schemas.urls import redacted

__all__ = [
    "DISTRIBUTIONS",
    "HtmlPage",
    "are_plain",
    "is_plain",
    "is_usable",
    "read_anchors",
    "split_links",
]


DISTRIBUTIONS = (".whl", ".tar.gz", ".zip")
"""The suffixes of file names that planning can use."""


_ALGORITHMS = frozenset(hashlib.algorithms_guaranteed)
"""Names that a digest in a fragment may have (PEP 503: those of hashlib)."""


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


def read_anchors(content: bytes, url: str) -> HtmlPage:
    """Return the links of a page in HTML. Raises IndexAnswer if it cannot be parsed."""
    parser = HtmlPage(url)
    try:
        parser.feed(_closed(content.decode("utf-8", "replace")))
        parser.close()
    except AssertionError as error:  # html.parser's answer to some malformed declarations
        raise IndexAnswer(redacted(url), f"its page is not HTML: {str(error)[:80]}") from None
    return parser


def _closed(text: str) -> str:
    """Return a page without comments, marked sections, and what follows its last tag.

    html.parser looks for the end of each, in a page that may not have it, from every beginning:
    quadratic time (https://github.com/python/cpython/issues/135462).
    """
    parts, at = [], 0
    while (begin := text.find("<!--", at)) >= 0:
        parts.append(text[at:begin])
        end = text.find("-->", begin + 4)
        at = end + 3 if end >= 0 else len(text)
    parts.append(text[at:])
    text = "".join(parts).replace("<![", "&lt;![")
    return text[: text.rfind(">") + 1]


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
            filename = _name_in(url)
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


def _name_in(url: str) -> str:
    return unquote(urlsplit(url.partition("#")[0]).path.rpartition("/")[2])


def _shown(url: str) -> str:
    shown = redacted(url)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."


def _to_entry(attributes: Mapping[str, str | None], text: str) -> dict[str, Any]:
    """Return an anchor of a page in HTML as an entry of a page in JSON; ``text`` is its content.

    The file name is that of the URL. If that is not the name of a distribution, as for a download
    by number, it is the text (PEP 503).
    """
    link, _, fragment = (attributes.get("href") or "").strip().partition("#")
    try:
        filename = _name_in(link)
    except ValueError:
        filename = ""
    if not filename.endswith(DISTRIBUTIONS) and text.endswith(DISTRIBUTIONS):
        filename = text.rpartition("/")[2]
    entry: dict[str, Any] = {
        "filename": filename,
        "url": link,
        "hashes": _parse_hashes(fragment),
        "requires-python": attributes.get("data-requires-python"),
        "yanked": (attributes["data-yanked"] or True) if "data-yanked" in attributes else False,
    }
    for key in ("core-metadata", "dist-info-metadata"):
        value = attributes.get(f"data-{key}")
        if value is not None:
            entry[key] = value != "false" and (_parse_hashes(value) or True)
    return entry


def _parse_hashes(text: str) -> dict[str, str]:
    """Return the digests in a fragment or an attribute: ``sha256=9f86...``, perhaps among other
    parts (``egg=demo&sha256=9f86...``).
    """
    found: dict[str, str] = {}
    for part in text.split("&"):
        algorithm, _, digest = part.partition("=")
        if digest.strip() and algorithm.lower() in _ALGORITHMS:
            found.setdefault(algorithm.lower(), digest.strip().lower())
    return found


class HtmlPage(HTMLParser):
    """The links of a page in HTML, its base URL and its markers, collected while it is parsed."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.api_version = "1.0"
        self.status = self.status_reason = ""
        self._anchors: list[tuple[dict[str, str | None], list[str]]] = []
        self._is_inside = False

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield the links as entries of a page in JSON."""
        for attributes, texts in self._anchors:
            yield _to_entry(attributes, "".join(texts).strip())

    def texts(self) -> Iterator[str]:
        """Yield the content of each link."""
        for _, texts in self._anchors:
            yield "".join(texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "a":
            self._anchors.append((attributes, []))
            self._is_inside = True
        elif tag == "base" and (href := attributes.get("href")):
            with suppress(ValueError):
                base = urljoin(self.base, href)
                self.base = base if is_usable(base, self.base) else self.base
        elif tag == "meta":
            self._read_meta(attributes.get("name") or "", attributes.get("content") or "")

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self._anchors[-1][1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._is_inside = False

    def _read_meta(self, name: str, content: str) -> None:
        if name == "pypi:repository-version":
            self.api_version = content or "1.0"
        elif name == "pypi:project-status":
            self.status = content
        elif name == "pypi:project-status-reason":
            self.status_reason = content
