"""Commit: take away what goes, then move staged wheels into place by renames, each dist-info
folder last.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from contextlib import suppress

from executor.environment.installed import Installed
from executor.environment.schemes import Schemes
from executor.environment.uninstall import remove_files
from executor.transaction.journal import Journal, Move, Removal
from executor.wheels.staged_wheel import StagedWheel
from schemas.wheel import SCHEME_NAMES

__all__ = ["apply", "moves_of", "removal_of"]


_NEW_SUFFIX = ".lockstream-new"
"""What a file is called while it is copied from another file system."""


def moves_of(wheel: StagedWheel, schemes: Schemes, staging: str) -> list[Move]:
    """What installs one staged wheel: its data folders first, then its root with dist-info last.

    ``staging`` is the folder of the journal.
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
    """What removes one installed distribution, the ``number``-th of a transaction."""
    roots = list(schemes.roots)
    return Removal(found.path, os.path.join("aside", str(number)), roots, list(keep))


def apply(journal: Journal) -> None:
    """Do all that the journal says and is not done yet. It can be repeated at any point.

    Raises OSError.
    """
    if not journal.is_removed:
        roots = set[str]()
        for removal in journal.removals():
            _remove(removal, journal.folder)
            roots.update(removal.roots)
        if roots:
            journal.removed(roots)
    destinations = set[str]()
    for move in journal.moves():
        source = os.path.join(journal.folder, move.source)
        if os.path.isdir(source):
            os.makedirs(move.destination, exist_ok=True)
            _move_entries(source, move.destination, move.last)
        destinations.add(move.destination)
    journal.done(destinations)


def _remove(removal: Removal, folder: str) -> None:
    aside = os.path.join(folder, removal.aside)
    os.makedirs(os.path.dirname(aside), exist_ok=True)
    with suppress(FileNotFoundError):
        os.rename(removal.dist_info, aside)
    remove_files(aside, os.path.dirname(removal.dist_info), removal.roots, removal.keep)


def _move_entries(source: str, destination: str, last: str | None) -> None:
    names = sorted(os.listdir(source), key=lambda name: (name == last, name))
    for name in names:
        _move(os.path.join(source, name), os.path.join(destination, name))
    os.rmdir(source)


def _move(source: str, destination: str) -> None:
    is_folder = os.path.isdir(source)
    try:
        os.rename(source, destination)
    except OSError as error:
        if error.errno == errno.EXDEV:
            _copy(source, destination)
        elif is_folder and error.errno in {errno.ENOTEMPTY, errno.EEXIST}:
            _move_entries(source, destination, None)
        else:
            raise


def _copy(source: str, destination: str) -> None:
    """Where scripts or data are on another file system: copy beside the place, then rename."""
    if os.path.isdir(source):
        os.makedirs(destination, exist_ok=True)
        _move_entries(source, destination, None)
        return
    import shutil  # noqa: PLC0415  # seldom met, and it brings all its formats

    new = destination + _NEW_SUFFIX
    shutil.copy2(source, new)
    os.rename(new, destination)
    os.unlink(source)
