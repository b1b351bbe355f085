"""The options of a requirements file that say where pip finds the files of a lock.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/#supported-options. pip and
uv look for every package in all of these places, and read relative paths from the folder of the
file.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable
from typing import Literal

from packaging.pylock import Package, Pylock

from planner.exports.addresses import PUBLIC, files_of, index_of, local_path, plain_url
from planner.exports.entry_check import is_address
from planner.exports.errors import Unwritable
from planner.model.paths import relative_path
from planner.review.recorded import recorded_indexes, recorded_places
from schemas.data_class import frozen
from schemas.text import one_line

__all__ = ["PipPlaces", "checked"]

_PAGES = (".html", ".htm")

_MEANING_MORE = {
    "marker": re.compile(r"\$\{[A-Z0-9_]+\}|\s[#-]"),
    "address": re.compile(r";"),
    "path": re.compile(r"\$\{[A-Z0-9_]+\}|\s-|[#;\[\]'\"\\]|^\s|\s$"),
}
"""What pip or uv take for a variable of the environment, a comment, an option, a marker, an extra,
a quotation or a line that goes on. (Other addresses are quoted.)"""


@frozen(kw_only=True)
class PipPlaces:
    """Where the files of some packages are."""

    indexes: tuple[str, ...]
    """Indexes that the lock names, PyPI too; those that it was planned with in the order of their
    rank."""
    has_default: bool
    """Whether a file comes from an index that the lock does not name, so from that of pip."""
    pages: tuple[str, ...]
    """Pages with links, such as those of ``--find-links``."""
    folders: tuple[str, ...]
    """Folders with files, relative to the requirements file or absolute."""

    @classmethod
    def find(
        cls, packages: Iterable[Package], lock: Pylock, *, folder: str, into: str
    ) -> PipPlaces:
        """Return the places of the files of ``packages``, which are of ``lock`` in ``folder``, for
        a requirements file in the folder ``into``. Raises Unwritable.
        """
        indexes: set[str] = set()
        folders: set[str] = set()
        has_default = False
        for package in packages:
            for file in files_of(package):
                path = local_path(file, folder)
                index = index_of(package)
                if path is not None:
                    shown = _shown_folder(path, is_relative=bool(file.path), into=into)
                    folders.add(checked(shown, package.name, "path"))
                elif package.archive is None and index:
                    indexes.add(index)
                elif package.archive is None:
                    has_default = True
        pages = _pages(lock, folder, indexes) if has_default else ()
        return cls(
            indexes=_ranked(indexes, lock),
            has_default=has_default and not pages,
            pages=pages,
            folders=tuple(sorted(folders)),
        )

    @property
    def others(self) -> tuple[str, ...]:
        """The indexes except PyPI."""
        return tuple(one for one in self.indexes if one != PUBLIC)

    @property
    def are_several(self) -> bool:
        """Whether pip looks for each package in more than one index."""
        return len(self.indexes) + self.has_default > 1

    def lines(self, *, with_indexes: bool) -> list[str]:
        """Return the options, a line each; nothing for PyPI alone, in whose place a machine may be
        configured for a mirror. The indexes are left out unless ``with_indexes``.
        """
        found = []
        if with_indexes and self.others:
            # uv takes a package from the first index that has it, and looks into extra ones first.
            extra = list(self.others)
            last = [] if self.has_default or PUBLIC in self.indexes else [extra.pop()]
            found += [f"--index-url {url}" for url in last]
            found += [f"--extra-index-url {url}" for url in extra]
        found += [f"--find-links {shlex.quote(one)}" for one in (*self.pages, *self.folders)]
        return found


def checked(text: str, subject: str, kind: Literal["address", "marker", "path"]) -> str:
    """Return ``text``, which is of the package ``subject``, if pip and uv take it as it is on one
    line, and what runs a job obeys nothing in it.

    Raises Unwritable.
    """
    if one_line(text) != text or _MEANING_MORE[kind].search(text):
        raise Unwritable(subject, kind)
    return text


def _shown_folder(path: str, *, is_relative: bool, into: str) -> str:
    place = os.path.dirname(path) or os.curdir
    if not is_relative:
        return place
    shown = relative_path(place, into)
    return shown if shown.startswith(".") else f"./{shown}"


def _ranked(indexes: Iterable[str], lock: Pylock) -> tuple[str, ...]:
    """Return ``indexes`` in the order in which the plan of ``lock`` looked into them."""
    ranks = {place: rank for rank, place in enumerate(recorded_places(lock))}
    return tuple(sorted(indexes, key=lambda one: (ranks.get(one, len(ranks)), one)))


def _pages(lock: Pylock, folder: str, indexes: set[str]) -> tuple[str, ...]:
    """Return the pages with links that ``lock`` was planned with, except ``indexes``."""
    request = recorded_indexes(lock, folder)
    links = {*request.find_links, *request.configured_links}
    named = (one for one in recorded_places(lock) if is_address(one, ("http", "https")))
    found = (plain_url(one) for one in named if one in links or one.endswith(_PAGES))
    return tuple(dict.fromkeys(one for one in found if one not in indexes))
