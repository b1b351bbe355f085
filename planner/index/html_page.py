"""Pages in HTML: their links as entries, and what they say of the project.

Loaded for a page in HTML alone: most are in JSON, and html.parser takes as long as the client of an
index. Source: https://packaging.python.org/specifications/simple-repository-api/.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterator, Mapping
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from planner.index.entries import DISTRIBUTIONS, is_usable, name_in
from planner.index.errors import IndexAnswer
from schemas.urls import redacted

__all__ = ["HtmlPage", "anchor_to", "read_anchors"]


_ALGORITHMS = frozenset(hashlib.algorithms_guaranteed)
"""Names that a digest in a fragment may have (PEP 503: those of hashlib)."""


_BEGIN = 1000
"""Bytes in which UTF-16 is known by its zeros; as UTF-8 it would be a page without links."""


def read_anchors(content: bytes, url: str) -> HtmlPage:
    """Return the links of a page in HTML. Raises IndexAnswer if it cannot be parsed."""
    if b"\0" in content[:_BEGIN]:
        raise IndexAnswer(redacted(url), "its page is not in UTF-8, as those of an index are")
    parser = HtmlPage(url)
    try:
        parser.feed(_closed(content.decode("utf-8", "replace")))
        parser.close()
    except AssertionError as error:  # html.parser's answer to some malformed declarations
        raise IndexAnswer(redacted(url), f"its page is not HTML: {str(error)[:80]}") from None
    return parser


def anchor_to(url: str) -> bytes:
    """Return a page that links to one distribution: ``--find-links`` may name one itself."""
    return f'<a href="{html.escape(url)}">'.encode()


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


def _to_entry(attributes: Mapping[str, str | None], text: str) -> dict[str, Any]:
    """Return an anchor of a page in HTML as an entry of a page in JSON; ``text`` is its content.

    The file name is that of the URL. If that is not the name of a distribution, as for a download
    by number, it is the text (PEP 503).
    """
    link, _, fragment = (attributes.get("href") or "").strip().partition("#")
    try:
        filename = name_in(link)
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
        self.base = self._address = base
        self.api_version = "1.0"
        self.status = self.status_reason = ""
        self.has_form = False
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
        elif tag == "base" and (href := attributes.get("href")) and self.base is self._address:
            # The first counts (https://html.spec.whatwg.org/multipage/semantics.html#the-base-element).
            with suppress(ValueError):
                base = urljoin(self.base, href)
                self.base = base if is_usable(base, self.base) else self.base
        elif tag == "form":
            self.has_form = True
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
