"""IndexReader: the page of a project, from the indexes, folders and pages that may have it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock

from packaging.utils import NormalizedName, canonicalize_name

from planner.index.cache import PageSeen
from planner.index.client import Answer, IndexClient
from planner.index.folder_index import read_folder_page
from planner.index.indexes import Index, Indexes, Links, Strategy
from planner.index.page_extract import MEDIA_TYPE, condense, condense_json, parse_condensed
from planner.index.pages import (
    ACCEPT,
    MAX_PAGE_SIZE,
    ProjectFile,
    ProjectPage,
    group_files,
    is_json,
    parse_links,
    parse_page,
)
from schemas.errors import UsageError

__all__ = ["IndexReader"]


class IndexReader:
    """Reads what ``indexes`` have of projects; safe to use from many threads."""

    def __init__(self, indexes: Indexes, client: IndexClient) -> None:
        self._indexes = indexes
        self._client = client
        self.seen: dict[tuple[str, NormalizedName], PageSeen] = {}
        """The pages of indexes that were read, by index and project."""
        self._links: dict[Links, dict[NormalizedName, list[ProjectFile]]] = {}
        self._lock = Lock()

    def page(self, name: NormalizedName) -> ProjectPage:
        """All that counts of project ``name``, from one index or from several.

        Raises UsageError for a folder that is none, IndexUnreachable, IndexAnswer, IndexDenied.
        """
        pages = self._pages(name)
        if self._indexes.strategy is Strategy.FIRST_INDEX:
            return next(pages, ProjectPage(name, exists=False))
        found = list(pages)
        if not found:
            return ProjectPage(name, exists=False)
        files: dict[str, ProjectFile] = {}
        for group in (group for page in found for group in page.files.values()):
            for file in group:
                files.setdefault(file.filename, file)
        return replace(found[0], files=group_files(files.values()))

    def look(self, index: str, name: NormalizedName) -> PageSeen:
        """Fetch the page of project ``name`` in the index at ``index``, and do not read it.

        Raises what ``page`` raises.
        """
        self._fetch(name, index)
        return self.seen[index, name]

    def _pages(self, name: NormalizedName) -> Iterator[ProjectPage]:
        """Those that exist, in the order of their rank."""
        for place in self._indexes.of_project(name):
            if isinstance(place, Links):
                page = self._page_of_links(name, place)
            else:
                page = self._page_of_index(name, place)
            if page.exists:
                yield page

    def _page_of_index(self, name: NormalizedName, index: Index) -> ProjectPage:
        if index.folder is not None:
            return read_folder_page(name, index.folder, index.url)
        answer = self._fetch(name, index.url)
        if answer is None:
            return ProjectPage(name, exists=False)
        return parse_condensed(name, answer.content, index=index.url)

    def _fetch(self, name: NormalizedName, index: str) -> Answer | None:
        """The condensed page, if there is one."""
        answer = self._client.get(
            f"{index}/{name}/",
            accept=ACCEPT,
            limit=MAX_PAGE_SIZE,
            shorten=partial(_shorten, name),
        )
        digest, fresh_until = (answer.digest, answer.fresh_until) if answer else ("", 0.0)
        self.seen[index, name] = PageSeen(index, name, digest, fresh_until)
        return answer

    def _page_of_links(self, name: NormalizedName, links: Links) -> ProjectPage:
        with self._lock:
            if links not in self._links:
                self._links[links] = _by_project(self._read_links(links))
        files = self._links[links].get(name, [])
        return ProjectPage(name, group_files(files), exists=bool(files))

    def _read_links(self, links: Links) -> Sequence[ProjectFile]:
        if not links.is_page:
            return _list_folder(links.place)
        answer = self._client.get(links.place, accept="text/html", limit=MAX_PAGE_SIZE)
        return parse_links(answer.content, url=answer.url) if answer else ()


def _shorten(name: NormalizedName, answer: Answer) -> Answer:
    short = condense_json(answer.content, answer.url) if is_json(answer.content_type) else None
    if short is None:
        page = parse_page(name, answer.content, content_type=answer.content_type, url=answer.url)
        short = condense(page)
    return replace(answer, content_type=MEDIA_TYPE, content=short)


def _list_folder(folder: str) -> list[ProjectFile]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise UsageError(f"--find-links {folder!r}: {error.strerror}") from None
    base = Path(os.path.abspath(folder))
    return [
        ProjectFile(name, "", {"url": (base / name).as_uri()}, path=str(base / name))
        for name in names
    ]


def _by_project(files: Sequence[ProjectFile]) -> dict[NormalizedName, list[ProjectFile]]:
    """Wheels by the project that their names begin with; other files are of no use."""
    found: dict[NormalizedName, list[ProjectFile]] = {}
    for file in files:
        if file.filename.endswith(".whl"):
            name = canonicalize_name(file.filename.partition("-")[0])
            found.setdefault(name, []).append(file)
    return found
