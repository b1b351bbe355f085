"""Judge a journal that another run has written, before it is obeyed.

A checkout or an archive may have brought it, with staged files. So everything it names is held to
the environment that this run was given: files come from staged folders that hold files and folders
alone, and go into the folders of this environment's schemes; what is removed is a distribution in
its packages.
"""

from __future__ import annotations

import os
import re

from executor.environment.places import Ways, is_below
from executor.environment.schemes import Schemes
from executor.transaction.errors import JournalRefused
from executor.transaction.journal import Journal
from executor.transaction.journal_entries import Move, Removal

__all__ = ["check_journal"]


_ASIDE = re.compile(r"aside/[0-9]{1,9}")


_COPIED = ("", "-copied")
"""What the names end with that a dist-info folder may have while it is set aside."""


_DEEPEST = 80
"""Folders below each other in what is staged; a wheel has at most 64."""


def check_journal(journal: Journal, schemes: Schemes) -> None:
    """Check a journal for the environment of ``schemes``; that there is none is right.

    Raises JournalRefused if it cannot be read, names something else than folders of the
    environment, or if its files are not regular files; StagingRefused if another user may have
    written it; and OSError.
    """
    journal.check_files()
    if journal.is_committed:
        check = _Check(journal, schemes)
        for removal in journal.removals():
            check.removal(removal)
        for move in journal.moves():
            check.move(move)


class _Check:
    """The judgement on one journal, which refuses the first entry that is wrong."""

    def __init__(self, journal: Journal, schemes: Schemes) -> None:
        self._journal = journal
        self._ways = Ways(schemes.roots)
        self._folders = frozenset(map(os.path.realpath, schemes.roots))
        self._packages = frozenset(map(os.path.realpath, schemes.packages))
        self._headers = os.path.realpath(schemes.headers)

    def removal(self, removal: Removal) -> None:
        for root in removal.roots:
            if os.path.realpath(root) not in self._folders:
                raise self._outside(root)
        parent, name = os.path.split(removal.dist_info)
        if os.path.realpath(parent) not in self._packages:
            raise self._outside(removal.dist_info)
        if not name.endswith((".dist-info", ".egg-info")):
            raise self._refused(f"it names {removal.dist_info}, which is not a dist-info folder")
        if not _ASIDE.fullmatch(removal.aside):
            raise self._unstaged(removal.aside)
        for copied in _COPIED:
            self._check_staged(removal.aside + copied)

    def move(self, move: Move) -> None:
        place = os.path.realpath(move.destination)
        if place not in self._folders:
            # The headers of each distribution have a folder of their own.
            outer = os.path.realpath(os.path.dirname(move.destination))
            if outer != self._headers or not is_below(place, self._ways.roots):
                raise self._outside(move.destination)
        self._check_staged(move.source)

    def _check_staged(self, path: str) -> None:
        """Check that ``path`` is a folder of folders and files, or absent: a link in it would
        become a part of the environment, through which the next entry could leave.
        """
        parts = path.split("/")
        if not {"", os.curdir, os.pardir}.isdisjoint(parts):
            raise self._unstaged(path)
        with self._journal.inside() as held:
            place = ""
            for part in parts:
                place = f"{place}/{part}" if place else part
                if not held.exists(place):
                    return
                if not held.is_folder(place):
                    raise self._refused(f"{held.path_of(place)} is not a folder")
            waiting = [(place, 0)]
            while waiting:
                folder, depth = waiting.pop()
                if depth > _DEEPEST:
                    raise self._refused(f"{path} has more than {_DEEPEST} folders below each other")
                with held.inner(folder) as inner:
                    for name, is_folder in inner.entries_once():
                        if is_folder:
                            waiting.append((f"{folder}/{name}", depth + 1))
                        elif not inner.is_file(name):
                            problem = "is neither a file nor a folder"
                            raise self._refused(f"{inner.path_of(name)} {problem}")

    def _outside(self, path: str) -> JournalRefused:
        return self._refused(f"it names {path}, which is outside of its folders")

    def _unstaged(self, path: str) -> JournalRefused:
        return self._refused(f"it names {path!r}, which is not a staged folder")

    def _refused(self, problem: str) -> JournalRefused:
        return JournalRefused(self._journal.path, problem)
