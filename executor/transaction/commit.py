"""Do what a journal says: remove what goes, then move staged wheels into place, dist-info last.

Everything can be repeated from any point. The first part, in which the dist-info folders of what
goes are set aside, is undone if it fails; from there on a commit is only ever finished.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress

from executor.environment.installed import Installed
from executor.environment.schemes import Schemes
from executor.environment.uninstall import remove_files
from executor.files.copies import copy_file, copy_folder, remove_copied
from executor.files.held_folder import HeldFolder
from executor.transaction.journal import Journal
from executor.transaction.journal_entries import Move, Removal
from executor.transaction.mover import Mover
from executor.wheels.staged_wheel import DATA, TREE, StagedWheel
from schemas.data_class import frozen
from schemas.wheel import SCHEME_NAMES

__all__ = ["WheelMoves", "apply", "moves_of", "removal_of"]


_COPIED = "-copied"
"""Ends the name of a dist-info folder that is set aside by a copy, until the original is gone."""


@frozen
class WheelMoves:
    """What a commit has to know of one staged wheel; there may be a thousand of them."""

    filename: str
    moves: tuple[Move, ...]


def moves_of(wheel: StagedWheel, schemes: Schemes, staging: HeldFolder) -> list[Move]:
    """Return the moves that install one staged wheel: its data folders, then its root, in which
    dist-info comes last. ``staging`` is the folder of the journal.
    """
    distribution = wheel.layout.distribution
    data = f"{wheel.name}/{DATA}"
    moves = [
        Move(folder, schemes.folder(scheme, distribution))
        for scheme in (SCHEME_NAMES if wheel.has_data else ())
        if staging.is_folder(folder := f"{data}/{scheme}")
    ]
    root = schemes.folder(wheel.root, distribution)
    return [*moves, Move(f"{wheel.name}/{TREE}", root, wheel.dist_info)]


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
    with journal.inside() as staging:
        if not journal.is_removed and next(journal.removals(), None) is not None:
            _set_aside(journal, staging)
            changed = set[str]()
            for removal in journal.removals():
                # Absent if another installer has removed the distribution since the run was killed.
                if staging.exists(f"{removal.aside}/RECORD"):
                    with staging.inner(removal.aside) as dist_info:
                        remove_files(dist_info, removal.dist_info, removal.roots, removal.keep)
                changed.update(removal.roots)
            if changed:
                journal.removed(changed)
        with closing(Mover(roots)) as mover:
            for move in journal.moves():
                mover.make(staging, move.source, move.destination, move.last)
            mover.leave()
    journal.done(mover.changed)


def _set_aside(journal: Journal, staging: HeldFolder) -> None:
    """Move the dist-info folder of every removal aside: what is half removed reads as absent.

    If one cannot be moved, all are put back and the journal is withdrawn, unless an earlier run has
    moved all of them: it may have removed files. Raises OSError.
    """
    may_be_begun = all(
        staging.is_folder(removal.aside) or not os.path.lexists(removal.dist_info)
        for removal in journal.removals()
    )
    try:
        for removal in journal.removals():
            with suppress(FileExistsError):
                staging.make(os.path.dirname(removal.aside))
            _set_folder_aside(journal, staging, removal)
    except OSError:
        if may_be_begun:
            raise
        mover = Mover(())
        for removal in journal.removals():
            for place in (removal.aside, removal.aside + _COPIED):
                if staging.is_folder(place):
                    parent, name = os.path.split(removal.dist_info)
                    with HeldFolder.at(os.path.realpath(parent)) as packages:
                        mover.move(staging, place, packages, name)
        journal.withdraw()
        raise


def _set_folder_aside(journal: Journal, staging: HeldFolder, removal: Removal) -> None:
    """Move one dist-info folder aside; by a copy if it cannot be renamed.

    It cannot if it is on another file system, or in a lower layer of an overlay that is mounted
    without ``redirect_dir``
    (https://docs.kernel.org/filesystems/overlayfs.html#renaming-directories).
    """
    aside, copied = removal.aside, removal.aside + _COPIED
    parent, name = os.path.split(removal.dist_info)
    if staging.is_folder(aside):
        return
    with HeldFolder.at(os.path.realpath(parent)) as packages:
        if not staging.is_folder(copied):
            try:
                is_link = stat.S_ISLNK(packages.status(name).st_mode)
                if not is_link:
                    packages.rename(name, aside, staging)
                    return
            except FileNotFoundError:
                return
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
            if is_link:
                # What it leads to stays, and is not needed but for the list of files.
                staging.make(copied)
                outer, record = os.path.split(os.path.realpath(f"{removal.dist_info}/RECORD"))
                with HeldFolder.at(outer) as real:
                    copy_file(real, record, staging, f"{copied}/RECORD")
            else:
                copy_folder(packages, name, staging, copied)
            # The copy will be the only one.
            journal.flush([journal.folder])
        if packages.is_folder(name):
            remove_copied(packages, name)
        elif packages.exists(name):
            packages.unlink(name)
        staging.rename(copied, aside)
