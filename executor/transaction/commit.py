"""Do what a journal says: remove what goes, then move staged wheels into place, dist-info last.

Everything can be repeated from any point. The first part, in which the dist-info folders of what
goes are set aside, is undone if it fails; from there on a commit is only ever finished.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from executor.environment.installed import Installed
from executor.environment.places import Ways
from executor.environment.schemes import Schemes
from executor.environment.uninstall import remove_files
from executor.files.folders import remove_tree
from executor.transaction.journal import Journal, Move, Removal
from executor.wheels.staged_wheel import StagedWheel
from schemas.wheel import SCHEME_NAMES

__all__ = ["apply", "moves_of", "removal_of"]


_NEW = ".lockstream-new"
"""Name of a file or folder while it is copied from another file system. One name for all, because a
longer name than the file's own may be too long."""


_COPIED = "-copied"
"""Ends the name of a dist-info folder that is set aside by a copy, until the original is gone."""


_MERGED = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY})
"""Why a folder cannot be renamed onto another: that has contents, or something is mounted on it."""


def moves_of(wheel: StagedWheel, schemes: Schemes, staging: str) -> list[Move]:
    """Return the moves that install one staged wheel: its data folders, then its root, in which
    dist-info comes last. ``staging`` is the folder of the journal.
    """
    distribution = wheel.layout.distribution
    moves = [
        Move(os.path.relpath(folder, staging), schemes.folder(scheme, distribution))
        for scheme in SCHEME_NAMES
        if os.path.isdir(folder := os.path.join(wheel.data, scheme))
    ]
    root = schemes.folder(wheel.root, distribution)
    return [*moves, Move(os.path.relpath(wheel.tree, staging), root, wheel.dist_info)]


def removal_of(found: Installed, number: int, schemes: Schemes, keep: Iterable[str]) -> Removal:
    """Return the removal of one installed distribution, the ``number``-th of a transaction."""
    roots = list(schemes.roots)
    return Removal(found.path, os.path.join("aside", str(number)), roots, list(keep))


def apply(journal: Journal, roots: Sequence[str] = ()) -> None:
    """Do everything in ``journal`` that is not done yet; nothing if it does not exist.

    ``roots`` are the folders of the environment: a link to a folder that stays below them is
    passed. Raises OSError; the journal is withdrawn then if nothing has changed.
    """
    if not journal.is_committed:
        return
    if not journal.is_removed:
        _set_aside(journal)
        changed = set[str]()
        for removal in journal.removals():
            aside = os.path.join(journal.folder, removal.aside)
            # Absent if another installer has removed the distribution since the run was killed.
            if os.path.lexists(os.path.join(aside, "RECORD")):
                root = os.path.dirname(removal.dist_info)
                remove_files(aside, root, removal.roots, removal.keep)
            changed.update(removal.roots)
        if changed:
            journal.removed(changed)
    mover = _Mover(roots)
    for move in journal.moves():
        mover.make(os.path.join(journal.folder, move.source), move.destination, move.last)
    journal.done(mover.changed)


def _set_aside(journal: Journal) -> None:
    """Move the dist-info folder of every removal aside: what is half removed reads as absent.

    If one cannot be moved, all are put back and the journal is withdrawn. Raises OSError.
    """
    try:
        for removal in journal.removals():
            aside = os.path.join(journal.folder, removal.aside)
            os.makedirs(os.path.dirname(aside), exist_ok=True)
            _set_folder_aside(journal, removal.dist_info, aside)
    except OSError:
        mover = _Mover(())
        for removal in journal.removals():
            aside = os.path.join(journal.folder, removal.aside)
            for place in (aside, aside + _COPIED):
                if os.path.isdir(place):
                    mover.move(place, removal.dist_info)
        journal.withdraw()
        raise


def _set_folder_aside(journal: Journal, dist_info: str, aside: str) -> None:
    """Move one dist-info folder to ``aside``; by a copy if it cannot be renamed.

    It cannot if it is on another file system, or in a lower layer of an overlay that is mounted
    without ``redirect_dir``
    (https://docs.kernel.org/filesystems/overlayfs.html#renaming-directories).
    """
    copied = aside + _COPIED
    if os.path.isdir(aside):
        return
    if not os.path.isdir(copied):
        if not os.path.islink(dist_info):
            try:
                os.rename(dist_info, aside)
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
            else:
                return
        if os.path.islink(dist_info):
            # What it leads to stays, and is not needed but for the list of files.
            os.mkdir(copied)
            _copy_file(os.path.join(dist_info, "RECORD"), os.path.join(copied, "RECORD"))
        else:
            _copy_folder(dist_info, copied)
        # The copy will be the only one.
        journal.flush([journal.folder])
    if os.path.islink(dist_info):
        os.unlink(dist_info)
    elif os.path.isdir(dist_info):
        _remove_folder(dist_info)
    os.rename(copied, aside)


class _Mover:
    """The moves of one commit, and the folders on other file systems that they have written to."""

    def __init__(self, roots: Sequence[str]) -> None:
        self._ways = Ways(roots)
        self.changed = set[str]()

    def make(self, source: str, destination: str, last: str | None) -> None:
        """Move the entries of the folder ``source`` into ``destination``, ``last`` as the last."""
        if os.path.isdir(source):
            os.makedirs(destination, exist_ok=True)
            self._move_entries(source, destination, last)
        self.changed.add(destination)

    def move(self, source: str, destination: str) -> None:
        """Move a file, or a folder that may exist already. Raises OSError."""
        is_folder = os.path.isdir(source)
        if is_folder and os.path.islink(destination) and self._ways.is_way(destination):
            destination = os.path.realpath(destination)
        try:
            os.rename(source, destination)
        except OSError as error:
            if error.errno == errno.EXDEV:
                self._copy(source, destination)
            elif is_folder and error.errno in _MERGED and os.path.isdir(destination):
                self._move_entries(source, destination, None)
            else:
                raise

    def _move_entries(self, source: str, destination: str, last: str | None) -> None:
        names = sorted(os.listdir(source), key=lambda name: (name == last, name))
        for name in names:
            self.move(os.path.join(source, name), os.path.join(destination, name))
        os.rmdir(source)

    def _copy(self, source: str, destination: str) -> None:
        """Move to another file system: copy into its folder, then rename."""
        self.changed.add(os.path.dirname(destination))
        if not os.path.isdir(source):
            _copy_file(source, destination)
            os.unlink(source)
        elif os.path.isdir(destination):
            self._move_entries(source, destination, None)
        else:
            _copy_folder(source, destination)
            _remove_folder(source)


def _copy_file(source: str, destination: str) -> None:
    import shutil  # noqa: PLC0415  # seldom met, and it brings all its formats

    new = _copy_place(destination)
    shutil.copy2(source, new)
    os.rename(new, destination)


def _copy_folder(source: str, destination: str) -> None:
    """Copy a folder to ``destination``, which appears by one rename."""
    import shutil  # noqa: PLC0415  # seldom met, and it brings all its formats

    new = _copy_place(destination)
    shutil.copytree(source, new, symlinks=True)
    os.rename(new, destination)


def _copy_place(destination: str) -> str:
    """Return the path for a copy in the folder of ``destination``; remove that of a killed run."""
    new = os.path.join(os.path.dirname(destination), _NEW)
    if os.path.isdir(new) and not os.path.islink(new):
        remove_tree(new)
    with suppress(FileNotFoundError):
        os.unlink(new)
    return new


def _remove_folder(folder: str) -> None:
    """Remove a folder of which there is a copy. Raises OSError.

    RECORD goes first: what is half removed then lists no files.
    """
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, "RECORD"))
    for place, folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(place, name))
        for name in folders:
            inner = os.path.join(place, name)
            (os.unlink if os.path.islink(inner) else os.rmdir)(inner)
    os.rmdir(folder)
