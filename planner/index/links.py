"""Folders of distributions and pages that link to them (``--find-links``)."""

from __future__ import annotations

import os
from collections.abc import Iterable, MutableMapping
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from packaging.utils import NormalizedName, canonicalize_name

from executor import read_input
from planner.index.client import IndexClient
from planner.index.entries import DISTRIBUTIONS
from planner.index.indexes import Links
from planner.index.pages import (
    MAX_PAGE_SIZE,
    ProjectFile,
    ProjectPage,
    group_files,
    parse_links,
    with_path,
)
from schemas.data_class import with_fields
from schemas.errors import NetworkError, UsageError
from schemas.urls import redacted

__all__ = ["LinksMissing", "LinksReader"]


_PAGES = (".html", ".htm")
"""The suffixes of a page of links on this machine."""

_ELSEWHERE = (
    "it may stand in a file of requirements, PIP_FIND_LINKS, UV_FIND_LINKS or pip.conf, or be kept "
    "from the lock, which plan --forget drops"
)


@with_fields
class LinksMissing(NetworkError):
    """A page of --find-links does not exist."""

    url: str
    hint = f"check the address after --find-links, or leave it out; {_ELSEWHERE}"

    def __str__(self) -> str:
        return f"--find-links {self.url}: the page does not exist (HTTP 404)"


class LinksReader:
    """Reads each folder and each page of links once for a plan; owned by ``IndexReader``.

    Broken links are added to ``broken``, by folder or page.
    """

    def __init__(self, client: IndexClient, broken: MutableMapping[str, tuple[str, ...]]) -> None:
        self._client = client
        self._broken = broken
        self._files: dict[Links, dict[NormalizedName, list[ProjectFile]]] = {}
        self._lock = Lock()

    def page(self, name: NormalizedName, links: Links) -> ProjectPage:
        """Return the files of project ``name``.

        Raises UsageError if the folder cannot be read, LinksMissing, IndexUnreachable, IndexAnswer
        and IndexDenied.
        """
        with self._lock:
            if links not in self._files:
                self._files[links] = _by_project(self._read(links))
        files = self._files[links].get(name, [])
        return ProjectPage(name, group_files(files), exists=bool(files))

    def _read(self, links: Links) -> Iterable[ProjectFile]:
        if not links.is_page:
            return self._read_place(links.place)
        if urlsplit(links.place).path.endswith(DISTRIBUTIONS):
            return self._parse_one(links.place)
        answer = self._client.get(links.place, accept="text/html", limit=MAX_PAGE_SIZE)
        if answer is None:
            raise LinksMissing(redacted(links.place))
        return self._parse(answer.content, answer.url)

    def _read_place(self, place: str) -> Iterable[ProjectFile]:
        try:
            if place.endswith(_PAGES) and os.path.isfile(place):
                path = Path(os.path.abspath(place))
                return map(with_path, self._parse(read_input(str(path)), path.as_uri()))
            if place.endswith(DISTRIBUTIONS) and os.path.isfile(place):
                path = Path(os.path.abspath(place))
                return map(with_path, self._parse_one(path.as_uri()))
            return self._list_folder(place)
        except OSError as error:
            raise UsageError(
                f"--find-links {place!r}: {error.strerror}",
                hint=f"name a folder of wheels or a page of links, or leave it out; {_ELSEWHERE}",
            ) from None

    def _list_folder(self, folder: str) -> list[ProjectFile]:
        base = Path(os.path.abspath(folder))
        names = sorted(name for name in os.listdir(folder) if not os.path.isdir(base / name))
        broken = [name for name in names if not os.path.exists(base / name)]
        if broken:
            self._broken[folder] = tuple(broken)
        return [
            ProjectFile(name, "", {"url": (base / name).as_uri()}, path=str(base / name))
            for name in names
            if name not in broken
        ]

    def _parse_one(self, url: str) -> Iterable[ProjectFile]:
        from planner.index.html_page import anchor_to  # noqa: PLC0415  # few name a distribution

        return self._parse(anchor_to(url), url)

    def _parse(self, content: bytes, url: str) -> Iterable[ProjectFile]:
        files, broken = parse_links(content, url=url)
        if broken:
            self._broken[redacted(url)] = broken
        return files


def _by_project(files: Iterable[ProjectFile]) -> dict[NormalizedName, list[ProjectFile]]:
    """Return wheels and source distributions by the project that their names begin with."""
    found: dict[NormalizedName, list[ProjectFile]] = {}
    for file in files:
        name = file.filename
        if name.endswith(".whl"):
            project = name.partition("-")[0]
        elif name.endswith(DISTRIBUTIONS):
            project = name.rpartition("-")[0]
        else:
            continue
        if project:
            found.setdefault(canonicalize_name(project), []).append(file)
    return found
