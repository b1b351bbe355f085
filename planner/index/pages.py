"""Project pages of a package index: bytes to ``ProjectPage``, in both forms, without any I/O.

Source: https://packaging.python.org/specifications/simple-repository-api/ (PEP 503, 592, 658,
691, 700, 714).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from packaging.utils import NormalizedName

from planner.index.errors import IndexAnswer

__all__ = [
    "ACCEPT",
    "MAX_PAGE_SIZE",
    "ProjectFile",
    "ProjectPage",
    "check_version",
    "group_files",
    "is_json",
    "parse_links",
    "parse_page",
    "parse_time",
    "version_text",
]


_JSON = "application/vnd.pypi.simple.v1+json"


_HTML = "application/vnd.pypi.simple.v1+html"


ACCEPT = f"{_JSON}, {_HTML};q=0.2, text/html;q=0.1"


MAX_PAGE_SIZE = 256 << 20
"""Bytes. The largest pages of PyPI have about 30 MB (nightly builds, ten thousand files)."""


_SUPPORTED_MAJOR = 1


_KNOWN_MINOR = 4
"""Project status markers (PEP 792) are what it brought."""


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file as its index announces it.

    A view of its entry in a JSON page: a page has thousands, of which few are looked at closely.
    What an entry does not hold in the form that the API demands counts as not given.
    """

    filename: str
    base: str
    """Where the page was found; relative addresses start from here."""
    entry: Mapping[str, Any]
    index: str = ""
    """The URL of the index that has it; empty where it is on none."""
    path: str | None = None
    """Where it is on this machine, if it is."""
    is_direct: bool = False
    """Whether the inputs ask for it by its address."""
    is_built: bool = False
    """Whether it is a wheel that an earlier plan has built."""

    @property
    def url(self) -> str:
        """The address, without fragment and credentials."""
        url = str(self.entry["url"])
        if "://" not in url:
            url = urljoin(self.base, url)
        url = url.partition("#")[0]
        if "@" in url and "@" in (parts := urlsplit(url)).netloc:
            url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return url

    @property
    def hashes(self) -> dict[str, str]:
        """Digests in lower-case hexadecimal by algorithm; empty where the index gives none."""
        return _digests(self.entry.get("hashes"))

    @property
    def size(self) -> int | None:
        """In bytes; only pages of version 1.1 (PEP 700) tell."""
        size = self.entry.get("size")
        return size if type(size) is int and size >= 0 else None

    @property
    def upload_time(self) -> str | None:
        """ISO 8601, as PEP 700 has it."""
        return _text(self.entry.get("upload-time"))

    @property
    def requires_python(self) -> str | None:
        return _text(self.entry.get("requires-python"))

    @property
    def yanked(self) -> str | None:
        """Why the file is withdrawn, perhaps an empty text; None where it is not (PEP 592)."""
        yanked = self.entry.get("yanked")
        return (_text(yanked) or "") if yanked else None

    @property
    def is_source(self) -> bool:
        """Whether it has to be built before it can be installed."""
        return not self.filename.endswith(".whl")

    @property
    def metadata_hashes(self) -> dict[str, str] | None:
        """Digests of the metadata file beside it, perhaps none; None where there is no such
        file (PEP 658, renamed by PEP 714: indexes of both ages are in use).
        """
        told = self.entry.get("core-metadata", self.entry.get("dist-info-metadata"))
        return _digests(told) if told else None

    @property
    def metadata_url(self) -> str:
        """Where the metadata file is: ``.metadata`` behind the path, so before any query."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=f"{parts.path}.metadata"))


def _digests(told: object) -> dict[str, str]:
    if not isinstance(told, Mapping):
        return {}
    return {kind.lower(): text.lower() for kind, text in told.items() if isinstance(text, str)}


def parse_time(text: str | None) -> datetime | None:
    """An upload time in UTC, as PEP 700 has it; None where ``text`` is none."""
    if text is None:
        return None
    with suppress(ValueError):
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return None


def _text(told: object) -> str | None:
    return told if isinstance(told, str) else None


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """What an index has of one project."""

    name: NormalizedName
    files: Mapping[str, Sequence[ProjectFile]] = field(default_factory=dict)
    """By their version, as their names spell it; empty where they spell none."""
    exists: bool = True
    """Whether the index knows the project at all."""
    api_version: str = "1.0"
    status: str = "active"
    """What its owners or the index say of it (PEP 792)."""
    status_reason: str = ""

    @property
    def has_newer_version(self) -> bool:
        """Whether the page may hold what is not understood here; then a client should warn."""
        major, _, minor = self.api_version.partition(".")
        return major == str(_SUPPORTED_MAJOR) and minor.isdecimal() and int(minor) > _KNOWN_MINOR


def parse_page(
    name: NormalizedName, content: bytes, *, content_type: str, url: str, index: str = ""
) -> ProjectPage:
    """Read the page of project ``name`` that was found at ``url``, in the index at ``index``.

    Unknown keys are ignored, and so are files without a name or an address.

    Raises IndexAnswer where the answer is no project page.
    """
    if is_json(content_type):
        return _parse_json(name, content, url, index)
    media_type = _media_type(content_type)
    if media_type in {_HTML, "text/html"}:
        parser = _read_anchors(content, url)
        check_version(parser.api_version, url)
        return ProjectPage(
            name,
            group_files(_files_of(parser, index)),
            api_version=parser.api_version,
            status=parser.status or "active",
            status_reason=parser.status_reason,
        )
    start = content[:40].decode("utf-8", "replace")
    raise IndexAnswer(
        url, f"{media_type or 'an untyped answer'} is no project page (it begins {start!r})"
    )


def is_json(content_type: str) -> bool:
    """Whether it is that of a page in JSON."""
    return _media_type(content_type) == _JSON


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def group_files(files: Iterable[ProjectFile]) -> dict[str, list[ProjectFile]]:
    """``files`` by the version that their names spell."""
    groups: dict[str, list[ProjectFile]] = {}
    for file in files:
        groups.setdefault(version_text(file.filename), []).append(file)
    return groups


def version_text(filename: str) -> str:
    """The version as ``filename`` spells it, or a text that is none."""
    if filename.endswith(".whl"):
        parts = filename.split("-", 2)
        return parts[1] if len(parts) == 3 else ""
    stem = filename.removesuffix(".tar.gz").removesuffix(".zip")
    return stem.rpartition("-")[2] if stem != filename else ""


def parse_links(content: bytes, *, url: str) -> tuple[ProjectFile, ...]:
    """The files that any page in HTML links to."""
    return tuple(_files_of(_read_anchors(content, url), ""))


def _parse_json(name: NormalizedName, content: bytes, url: str, index: str) -> ProjectPage:
    try:
        page = json.loads(content)
        version = str(page["meta"]["api-version"])
        check_version(version, url)
        files = group_files(
            ProjectFile(entry["filename"], url, entry, index)
            for entry in page["files"]
            if isinstance(entry["filename"], str) and isinstance(entry["url"], str)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise IndexAnswer(url, f"not a project page in JSON: {error!r}") from None
    told = page.get("project-status")
    status = told if isinstance(told, Mapping) else {}
    return ProjectPage(
        name,
        files,
        api_version=version,
        status=_text(status.get("status")) or "active",
        status_reason=_text(status.get("reason")) or "",
    )


def _read_anchors(content: bytes, url: str) -> _Anchors:
    parser = _Anchors(url)
    parser.feed(content.decode("utf-8", "replace"))
    parser.close()
    return parser


def _files_of(parser: _Anchors, index: str) -> Iterator[ProjectFile]:
    for entry in map(_to_entry, parser.anchors):
        if entry["filename"]:
            yield ProjectFile(entry["filename"], parser.base, entry, index)


def _to_entry(attributes: Mapping[str, str | None]) -> dict[str, Any]:
    """What an anchor of an HTML page says, as a JSON page says it."""
    link, _, fragment = (attributes.get("href") or "").partition("#")
    entry: dict[str, Any] = {
        "filename": unquote(urlsplit(link).path.rpartition("/")[2]),
        "url": link,
        "hashes": _parse_hash(fragment),
        "requires-python": attributes.get("data-requires-python"),
        "yanked": (attributes["data-yanked"] or True) if "data-yanked" in attributes else False,
    }
    for key in ("core-metadata", "dist-info-metadata"):
        told = attributes.get(f"data-{key}")
        if told is not None:
            entry[key] = told != "false" and (_parse_hash(told) or True)
    return entry


def _parse_hash(text: str) -> dict[str, str]:
    """Return the digests of ``sha256=9f86...``, which may be one of several parts of a fragment."""
    parts = (part.partition("=") for part in text.split("&"))
    known = hashlib.algorithms_available
    return {
        key.lower(): digest.lower() for key, _, digest in parts if digest and key.lower() in known
    }


def check_version(version: str, url: str) -> None:
    """Raises IndexAnswer where the API of the index is one that is not understood."""
    if version.partition(".")[0] != str(_SUPPORTED_MAJOR):
        raise IndexAnswer(url, f"the index speaks version {version} of its API, not 1.x")


class _Anchors(HTMLParser):
    """Collects the attributes of all links, the base address and the version of the API."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.api_version = "1.0"
        self.status = self.status_reason = ""
        self.anchors: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "a":
            self.anchors.append(attributes)
        elif tag == "base" and (href := attributes.get("href")):
            self.base = urljoin(self.base, href)
        elif tag == "meta":
            self._read_meta(attributes.get("name") or "", attributes.get("content") or "")

    def _read_meta(self, name: str, content: str) -> None:
        if name == "pypi:repository-version":
            self.api_version = content or "1.0"
        elif name == "pypi:project-status":
            self.status = content
        elif name == "pypi:project-status-reason":
            self.status_reason = content
