"""The page of a project, from all the indexes, folders and pages that may have it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock, RLock

from packaging.utils import NormalizedName, canonicalize_name

from planner.index.cache import PageSeen
from planner.index.client import Answer, IndexClient
from planner.index.errors import IndexAnswer, IndexDenied
from planner.index.folder_index import read_folder_page
from planner.index.indexes import Index, Indexes, Links, Strategy
from planner.index.links import LinksReader
from planner.index.page_extract import MEDIA_TYPE, condense, condense_json, parse_condensed
from planner.index.pages import (
    ACCEPT,
    MAX_PAGE_SIZE,
    ProjectFile,
    ProjectPage,
    is_json,
    parse_page,
)
from planner.index.project_list import MAX_LIST_SIZE, parse_project_list
from schemas.urls import redacted

__all__ = ["IndexReader"]


_MAX_PROBES = 16
"""Pages of other projects that are fetched to find out whether a login is valid."""


class IndexReader:
    """Reads the projects of ``indexes`` for one plan. Many threads may use it.

    ``names`` are the projects that the inputs require.
    """

    def __init__(
        self, indexes: Indexes, client: IndexClient, names: Iterable[NormalizedName] = ()
    ) -> None:
        self._indexes = indexes
        self._client = client
        self._names = tuple(names)
        self._seen: dict[tuple[str, NormalizedName], PageSeen] = {}
        self._broken: dict[str, tuple[str, ...]] = {}
        self._forbidden: dict[str, frozenset[NormalizedName]] = {}
        self._serving: set[str] = set()
        """The indexes that have sent a page, so that their logins are valid."""
        self._probing = RLock()
        self._links = LinksReader(client, self._broken)
        self._lock = Lock()
        self._cutting = Lock()

    # Threads that read ahead may still add to these when a plan has ended: what is returned is a
    # copy, which Python makes in one step.

    @property
    def seen(self) -> tuple[PageSeen, ...]:
        """The pages of indexes that were read."""
        return tuple(self._seen.copy().values())

    @property
    def broken(self) -> dict[str, tuple[str, ...]]:
        """The broken links of each page that has some, by the URL or path of the page."""
        return self._broken.copy()

    @property
    def forbidden(self) -> dict[str, frozenset[NormalizedName]]:
        """Projects that an index answers 403 for, and is believed not to have; by its URL."""
        return self._forbidden.copy()

    def page(self, name: NormalizedName, pin: str | None = None) -> ProjectPage:
        """Return the files of project ``name``: those of the index ``pin``; without it those of all
        folders and pages of links, with those of the first remote index that has it, or of all
        indexes.

        Of files with the same name the first one counts. Raises UsageError, LinksMissing,
        IndexUnreachable, IndexAnswer and IndexDenied.
        """
        places = self._indexes.places_of(pin)
        found = [
            page
            for place in places
            if isinstance(place, Links) and (page := self._links.page(name, place)).exists
        ]
        for index in (place for place in places if isinstance(place, Index)):
            page = self.page_of(name, index)
            if page.exists:
                found.append(page)
                # An index in a folder adds to the others, as a folder of --find-links does.
                if self._indexes.strategy is Strategy.FIRST_INDEX and index.folder is None:
                    break
        return _merged(found) if found else ProjectPage(name, exists=False)

    def look(self, index: str, name: NormalizedName) -> PageSeen:
        """Fetch the page of project ``name`` in the index at ``index``, without reading it.

        Raises what ``page`` raises, except that a page that is forbidden counts as missing: the
        caller compares it with a page that it knows.
        """
        try:
            answer = self._get(name, index)
        except IndexDenied as error:
            if not error.is_forbidden:
                raise
            answer = None
        return self._note(name, index, answer)

    def page_of(self, name: NormalizedName, index: Index) -> ProjectPage:
        """Return the files that one index has of project ``name``. Raises what ``page`` raises."""
        if index.folder is not None:
            return read_folder_page(name, index.folder, index.url)
        answer = self._fetch(name, index.url)
        if answer is None:
            return ProjectPage(name, exists=False)
        page = parse_condensed(name, answer.content, index=index.url)
        if page.broken:
            self._broken[redacted(answer.url)] = page.broken
        return page

    def names(self, index: Index) -> frozenset[NormalizedName]:
        """Return the projects that an index lists; empty if it lists none, or too many.

        Raises IndexUnreachable.
        """
        if index.folder is not None:
            with suppress(OSError):
                folders = (one.name for one in Path(index.folder).iterdir() if one.is_dir())
                return frozenset(map(canonicalize_name, folders))
            return frozenset()
        with suppress(IndexAnswer):
            answer = self._client.get(f"{index.url}/", accept=ACCEPT, limit=MAX_LIST_SIZE)
            if answer is not None:
                return parse_project_list(answer.content, answer.url)
        return frozenset()

    def _fetch(self, name: NormalizedName, index: str) -> Answer | None:
        """Return the extract of a page; None if the index does not have the project.

        Object stores and some servers answer 403 for a project that they do not have. That is
        believed if the index has sent another page, with the same login: if the login were not
        valid, the project could be taken from another index, on which anybody may have published
        it.
        """
        try:
            answer = self._get(name, index)
        except IndexDenied as error:
            if not error.is_forbidden or not self._is_serving(index, name):
                raise
            with self._lock:
                self._forbidden[index] = self._forbidden.get(index, frozenset()) | {name}
            answer = None
        self._note(name, index, answer)
        return answer

    def _is_serving(self, index: str, forbidden: NormalizedName) -> bool:
        """Return whether the index sends the page of a project that the inputs require, or its
        root.
        """
        with self._probing:
            probes = [name for name in self._names if name != forbidden][:_MAX_PROBES]
            for name in probes:
                if index in self._serving:
                    break
                try:
                    self._get(name, index)
                except IndexDenied:
                    continue
            if index not in self._serving and self._has_root(index):
                self._serving.add(index)
            return index in self._serving

    def _has_root(self, index: str) -> bool:
        """Return whether the index sends its list of projects."""
        try:
            answer = self._client.get(f"{index}/", accept=ACCEPT, limit=MAX_PAGE_SIZE)
        except IndexAnswer:
            return False
        return answer is not None

    def _get(self, name: NormalizedName, index: str) -> Answer | None:
        answer = self._client.get(
            f"{index}/{name}/",
            accept=ACCEPT,
            limit=MAX_PAGE_SIZE,
            shorten=partial(self._shorten, name),
        )
        if answer is not None:
            self._serving.add(index)
        return answer

    def _shorten(self, name: NormalizedName, answer: Answer) -> Answer:
        """Return the extract of a page. Raises IndexAnswer."""
        try:
            # One page at a time is cut up: several at once would not be done sooner, and each takes
            # a few times its size meanwhile.
            with self._cutting:
                return _read_extract(name, answer)
        except (RecursionError, UnicodeError) as error:
            # Nested without end, or text that is not Unicode: half of a surrogate pair.
            problem = f"its page cannot be read: {str(error)[:80]}"
            raise IndexAnswer(redacted(answer.url), problem) from None

    def _note(self, name: NormalizedName, index: str, answer: Answer | None) -> PageSeen:
        digest, fresh_until = (answer.digest, answer.fresh_until) if answer else ("", 0.0)
        seen = self._seen[index, name] = PageSeen(index, name, digest, fresh_until)
        return seen


def _merged(pages: Sequence[ProjectPage]) -> ProjectPage:
    """Return one page with the files of all; a version that one page alone has is not parsed."""
    if len(pages) == 1:
        return pages[0]
    groups: dict[str, list[Sequence[ProjectFile]]] = {}
    for page in pages:
        for version, files in page.files.items():
            groups.setdefault(version, []).append(files)
    # What an index says of the project counts; a folder says nothing.
    return replace(
        pages[-1],
        files={
            version: found[0] if len(found) == 1 else list(_distinct(found))
            for version, found in groups.items()
        },
    )


def _distinct(groups: Iterable[Sequence[ProjectFile]]) -> Iterator[ProjectFile]:
    names: set[str] = set()
    for file in (file for files in groups for file in files):
        if file.filename not in names:
            names.add(file.filename)
            yield file


def _read_extract(name: NormalizedName, answer: Answer) -> Answer:
    short = condense_json(answer.content, answer.url) if is_json(answer.content_type) else None
    if short is None:
        page = parse_page(name, answer.content, content_type=answer.content_type, url=answer.url)
        short = condense(page)
    return replace(answer, content_type=MEDIA_TYPE, content=short)
