"""Project pages of package indexes, in HTML and JSON: bytes to ``ProjectPage``.

Source: https://packaging.python.org/specifications/simple-repository-api/ (PEP 503, 592, 658,
691, 700, 714).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

from packaging.utils import NormalizedName

from planner.index.entries import DISTRIBUTIONS, split_links
from planner.index.errors import IndexAnswer, SignInPage
from schemas.data_class import frozen
from schemas.numbers import small_int
from schemas.urls import without_dots

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
    "with_path",
]


_JSON = "application/vnd.pypi.simple.v1+json"


_HTML = "application/vnd.pypi.simple.v1+html"


ACCEPT = f"{_JSON}, {_HTML};q=0.2, text/html;q=0.1"


MAX_PAGE_SIZE = 256 << 20
"""Bytes. The largest pages of PyPI have about 30 MB (nightly builds, ten thousand files)."""


_FORMS = {_JSON: "json", _HTML: "html", "text/html": "html"}
"""The form of a page, by its media type."""


_VAGUE = frozenset({
    "", "application/octet-stream", "application/xhtml+xml", "binary/octet-stream", "text/plain",
})  # fmt: skip
"""Media types of static servers and object stores that say too little; the content decides."""


_SNIFFED = 100
"""Bytes in which a page of such a type begins, after white space."""


_SUPPORTED_MAJOR = 1


_KNOWN_MINOR = 4
"""The newest known minor version, with the project status markers of PEP 792."""


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file that an index lists.

    It is a view of an entry in a JSON page, since a page has thousands of which few are read. A
    value that is not in the form of the API counts as missing.
    """

    filename: str
    base: str
    """The URL of the page, to which relative links start."""
    entry: Mapping[str, Any]
    index: str = ""
    """The URL of the index that lists it; empty if an index does not."""
    path: str | None = None
    """Its path, if it is on this machine."""
    is_direct: bool = False
    """Whether the inputs require it by its URL or path."""
    is_built: bool = False
    """Whether it is a wheel that an earlier plan has built."""

    @property
    def url(self) -> str:
        """The URL, without fragment and credentials."""
        return _absolute(str(self.entry["url"]), self.base)

    @property
    def hashes(self) -> dict[str, str]:
        """Digests in lower-case hexadecimal by algorithm; empty if the index gives none."""
        return _digests(self.entry.get("hashes"))

    @property
    def size(self) -> int | None:
        """Bytes; None for pages before version 1.1 (PEP 700), or of an index that does not know."""
        size = self.entry.get("size")
        return size if type(size) is int and size > 0 else None

    @property
    def upload_time(self) -> str | None:
        """The time of the upload in ISO 8601 (PEP 700)."""
        return _text(self.entry.get("upload-time"))

    @property
    def requires_python(self) -> str | None:
        return _text(self.entry.get("requires-python"))

    @property
    def yanked(self) -> str | None:
        """The reason why the file is yanked, which may be empty; None if it is not (PEP 592)."""
        yanked = self.entry.get("yanked")
        return (_text(yanked) or "") if yanked else None

    @property
    def is_source(self) -> bool:
        """Whether it must be built before it can be installed."""
        return not self.filename.endswith(".whl")

    @property
    def metadata_hashes(self) -> dict[str, str] | None:
        """Digests of its metadata file, which may be none; None without such a file (PEP 658, with
        the old key and that of PEP 714).
        """
        value = self.entry.get("core-metadata", self.entry.get("dist-info-metadata"))
        return _digests(value) if value else None

    @property
    def metadata_url(self) -> str:
        """The URL of the metadata file: ``.metadata`` is added to the path, before any query."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=f"{parts.path}.metadata"))


@lru_cache(maxsize=1 << 12)
def _absolute(url: str, base: str) -> str:
    """Return a link of the page at ``base`` without fragment and credentials; from a cache, since
    the URL of a file is the key of all that is known of it.
    """
    # White space around an address is not a part of it (https://url.spec.whatwg.org/#url-parsing).
    url = url.strip()
    url = without_dots(url) if "://" in url else urljoin(base, url)
    url = url.partition("#")[0]
    if "@" in url and "@" in (parts := urlsplit(url)).netloc:
        url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return url


def _digests(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {kind.lower(): text.lower() for kind, text in value.items() if isinstance(text, str)}


def parse_time(text: str | None) -> datetime | None:
    """Return an upload time (PEP 700) in UTC; None if ``text`` is not a time."""
    if text is None:
        return None
    with suppress(ValueError, OverflowError):
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


@frozen
class ProjectPage:
    """The files of one project in an index."""

    name: NormalizedName
    files: Mapping[str, Sequence[ProjectFile]] = field(default_factory=dict)
    """The files by version, as their names spell it; empty for names without a version."""
    exists: bool = True
    """Whether the index has the project at all."""
    api_version: str = "1.0"
    status: str = "active"
    """The status that its owners or the index gave it (PEP 792)."""
    status_reason: str = ""
    broken: tuple[str, ...] = ()
    """Links of the page that are not URLs, shortened and without secrets; they are skipped."""

    @property
    def has_newer_version(self) -> bool:
        """Whether the page may have unknown keys, of which a client should warn."""
        major, _, minor = self.api_version.partition(".")
        return major == str(_SUPPORTED_MAJOR) and (small_int(minor) or 0) > _KNOWN_MINOR


def parse_page(
    name: NormalizedName, content: bytes, *, content_type: str, url: str, index: str = ""
) -> ProjectPage:
    """Return the page of project ``name`` at ``url``, in the index at ``index``.

    Unknown keys and entries without a name or a usable URL are ignored.

    Raises IndexAnswer if the document is not a project page.
    """
    media_type = _media_type(content_type)
    form = _form(media_type, content)
    if form == "json":
        return _parse_json(name, content, url, index)
    if form == "html":
        from planner.index.html_page import read_anchors  # noqa: PLC0415  # most are in JSON

        parser = read_anchors(content, url)
        check_version(parser.api_version, url)
        files, broken = split_links(parser.entries(), parser.base)
        if parser.has_form and not any(one["filename"].endswith(DISTRIBUTIONS) for one in files):
            raise SignInPage(url, "it is a web page with a form, not a project page")
        return ProjectPage(
            name,
            group_files(ProjectFile(one["filename"], parser.base, one, index) for one in files),
            broken=broken,
            api_version=parser.api_version,
            status=parser.status or "active",
            status_reason=parser.status_reason,
        )
    start = content[:40].decode("utf-8", "replace")
    raise IndexAnswer(
        url, f"{media_type or 'an untyped answer'} is not a project page (it begins {start!r})"
    )


def _form(media_type: str, content: bytes) -> str:
    """Return the form of a page: that of its media type, unless its content decides; empty if
    neither is known.
    """
    begin = content[:_SNIFFED].lstrip()[:1]
    # A static server calls a file without a suffix HTML.
    if begin == b"{" and media_type in {*_VAGUE, "application/json", "text/html"}:
        return "json"
    if begin == b"<" and media_type in _VAGUE:
        return "html"
    return _FORMS.get(media_type, "")


def is_json(content_type: str) -> bool:
    """Return whether ``content_type`` is that of a page in JSON."""
    return _media_type(content_type) == _JSON


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def group_files(files: Iterable[ProjectFile]) -> dict[str, list[ProjectFile]]:
    """Return ``files`` by the version that their names spell."""
    groups: dict[str, list[ProjectFile]] = {}
    for file in files:
        groups.setdefault(version_text(file.filename), []).append(file)
    return groups


def version_text(filename: str) -> str:
    """Return the version as ``filename`` spells it, or a text that is not a version."""
    if filename.endswith(".whl"):
        parts = filename.split("-", 2)
        return parts[1] if len(parts) == 3 else ""
    stem = filename.removesuffix(".tar.gz").removesuffix(".zip")
    return stem.rpartition("-")[2] if stem != filename else ""


def parse_links(content: bytes, *, url: str) -> tuple[list[ProjectFile], tuple[str, ...]]:
    """Return the files that a page in HTML links to, and its broken links."""
    from planner.index.html_page import read_anchors  # noqa: PLC0415  # as above

    parser = read_anchors(content, url)
    entries, broken = split_links(parser.entries(), parser.base)
    return [ProjectFile(one["filename"], parser.base, one) for one in entries], broken


def with_path(file: ProjectFile) -> ProjectFile:
    """Return a file of this machine with its path, so that it is read without a request."""
    parts = urlsplit(file.url)
    return replace(file, path=unquote(parts.path)) if parts.scheme == "file" else file


def _parse_json(name: NormalizedName, content: bytes, url: str, index: str) -> ProjectPage:
    try:
        page = json.loads(content)
    except ValueError as error:
        raise IndexAnswer(url, f"not a project page in JSON: {error}") from None
    meta = page.get("meta") if isinstance(page, Mapping) else None
    if not isinstance(meta, Mapping) or not isinstance(page.get("files"), list):
        raise IndexAnswer(
            url, "not a project page in JSON: it has no table 'meta', or no list 'files'"
        )
    version = str(meta.get("api-version", "(none)"))
    check_version(version, url)
    usable, broken = split_links((one for one in page["files"] if isinstance(one, dict)), url)
    files = group_files(ProjectFile(one["filename"], url, one, index) for one in usable)
    markers = page.get("project-status")
    status = markers if isinstance(markers, Mapping) else {}
    return ProjectPage(
        name,
        files,
        api_version=version,
        status=_text(status.get("status")) or "active",
        status_reason=_text(status.get("reason")) or "",
        broken=broken,
    )


def check_version(version: str, url: str) -> None:
    """Raise IndexAnswer if the index has another major version of the API."""
    if version.partition(".")[0] != str(_SUPPORTED_MAJOR):
        raise IndexAnswer(url, f"the index has version {version} of the API, only 1.x is supported")
