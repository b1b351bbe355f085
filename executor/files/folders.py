"""Make folders and remove them again if the work fails; remove trees; write spool files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from itertools import count

__all__ = [
    "FOLDER",
    "empty_folder",
    "entries_of",
    "entries_once",
    "made_folder",
    "remove_tree",
    "write_spool",
]


@contextmanager
def made_folder(path: str) -> Iterator[None]:
    """Make the absolute ``path``; if the body fails, remove those of its folders that were made and
    are empty.

    Raises OSError.
    """
    made = []
    missing = path
    while not os.path.lexists(missing):
        made.append(missing)
        missing = os.path.dirname(missing)
    try:
        os.makedirs(path, exist_ok=True)
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):
                os.rmdir(folder)
        raise


def remove_tree(path: str, *, dir_fd: int | None = None) -> None:
    """Remove a folder of ours with everything in it, as far as that is possible.

    ``path`` is relative to the folder ``dir_fd``, if that is given. Follows no link, and copes with
    folders of any depth: each folder is moved up to ``path`` before it is emptied, so that two are
    open at a time and no path becomes long.
    """
    with suppress(OSError):
        root = os.open(path, FOLDER, dir_fd=dir_fd)
        try:
            empty_folder(root)
        finally:
            os.close(root)
    with suppress(OSError):
        os.rmdir(path, dir_fd=dir_fd)


FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""Flags that open a folder and no link to one."""

_DEEPEST = 100
"""Folders below each other that are emptied in place, if they cannot be moved up: a mount point, or
a folder of a lower layer of an overlay."""


def empty_folder(root: int, depth: int = 0) -> None:
    """Remove everything in the folder of the descriptor ``root``, as far as that is possible.

    Raises OSError if the folder cannot be read.
    """
    names = _folders_in(root, root)
    moved = count()
    while names:
        name = names.pop()
        with suppress(OSError):
            child = _open_folder(name, root)
            try:
                for inner in _folders_in(child, root):
                    place = f".{next(moved)}.removed"
                    try:
                        os.rename(inner, place, src_dir_fd=child, dst_dir_fd=root)
                    except OSError:
                        if depth < _DEEPEST:
                            _remove_in_place(inner, child, depth)
                    else:
                        names.append(place)
            finally:
                os.close(child)
            os.rmdir(name, dir_fd=root)


def _remove_in_place(name: str, parent: int, depth: int) -> None:
    with suppress(OSError):
        child = _open_folder(name, parent)
        try:
            empty_folder(child, depth + 1)
        finally:
            os.close(child)
        os.rmdir(name, dir_fd=parent)


def _open_folder(name: str, parent: int) -> int:
    try:
        return os.open(name, FOLDER, dir_fd=parent)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=parent)
        return os.open(name, FOLDER, dir_fd=parent)


def _folders_in(folder: int, root: int) -> list[str]:
    """Remove the files in ``folder``; return the names of the folders in it."""
    with suppress(OSError):
        if folder != root:
            os.fchmod(folder, 0o700)
    found = entries_of(folder)
    for name, is_folder in found:
        if not is_folder:
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]


def entries_of(folder: int) -> list[tuple[str, bool]]:
    """Return the names in the folder of a descriptor, each with whether it is a folder.

    Raises OSError.
    """
    # Another descriptor, because btrfs leaves out what was made since this one was opened, and
    # sshfs reads a folder once for each descriptor, wherever that is set to.
    fresh = os.open(os.curdir, FOLDER, dir_fd=folder)
    try:
        return entries_once(fresh)
    finally:
        os.close(fresh)


def entries_once(folder: int) -> list[tuple[str, bool]]:
    """Return what ``entries_of`` returns, in two system calls less, for a descriptor that is
    younger than all that is in its folder, and of which this is asked once.
    """
    with os.scandir(folder) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]


def write_spool(file: FileIO, chunks: Iterable[bytes]) -> None:
    """Write ``chunks`` to a file without a buffer. Raises OSError and what ``chunks`` raises."""
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
