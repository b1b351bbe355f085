"""Removal: take an installed distribution away, by its RECORD, as often as it is asked.

All files that RECORD lists, the byte code made of them, and the folders that become empty. Source:
https://packaging.python.org/specifications/recording-installed-packages/.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress

from executor.environment.errors import RecordEscapes
from executor.environment.installed import Installed, recorded_files
from executor.files.path_set import PathSet

__all__ = ["check_removal", "remove_files", "shared_paths"]


_STAYS = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY, errno.ENOTDIR})
"""Why a folder is not removed where that is no fault: it has contents, something is mounted on it,
or it is a link to one."""


def check_removal(found: Installed, roots: Sequence[str]) -> None:
    """Refuse to remove a distribution whose RECORD names files outside of the environment.

    A wheel once made uv delete others' files so (GHSA-pjjw-68hj-v9mw). Raises RecordEscapes and
    RecordUnreadable.
    """
    for path in found.files():
        if not _is_below(path, roots):
            raise RecordEscapes(found.name, found.version, path)


def shared_paths(remove: Sequence[Installed], others: Iterable[Installed]) -> Iterator[str]:
    """Files of what is removed that something else owns too, and that therefore stay."""
    if not remove:
        return
    going = PathSet(path for found in remove for path in found.files())
    leaving = {found.path for found in remove}
    for other in others:
        if other.path not in leaving and other.is_complete:
            yield from (path for path in other.files() if path in going)


def remove_files(dist_info: str, root: str, roots: Sequence[str], keep: Iterable[str]) -> None:
    """Delete what the RECORD in ``dist_info`` lists, but ``keep``; what is gone already is no
    error.

    ``root`` is the folder that RECORD's paths begin at, and ``roots`` are the folders that
    nothing outside of is touched. Raises OSError.
    """
    kept = frozenset(keep)
    own = _own_folders(roots)
    last_folder = ""
    for path, _, _ in recorded_files(os.path.join(dist_info, "RECORD"), root):
        if path in kept or not _is_below(path, roots):
            continue
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)
        folder = os.path.dirname(path)
        if last_folder and folder != last_folder:
            _tidy(last_folder, roots, own)
        last_folder = folder
    if last_folder:
        _tidy(last_folder, roots, own)


def _own_folders(roots: Sequence[str]) -> frozenset[str]:
    """The folders that an environment has from the beginning, and keeps when they are emptied:
    the outermost of ``roots`` and what is directly in them (``lib``, ``bin``, ``include``).
    """
    own: set[str] = set()
    for root in roots:
        above = [other for other in roots if _is_below(root, [other])]
        if above:
            outermost = min(above, key=len)
            name = root[len(outermost) :].lstrip(os.sep).partition(os.sep)[0]
            own.add(os.path.join(outermost, name))
        else:
            own.add(root)
    return frozenset(own)


def _tidy(folder: str, roots: Sequence[str], own: Container[str]) -> None:
    """Drop byte code without a source, and folders without contents, from ``folder`` upwards."""
    _drop_byte_code(folder)
    while folder not in own and _is_below(folder, roots):
        if not _is_gone(folder):
            return
        folder = os.path.dirname(folder)


def _is_gone(folder: str) -> bool:
    """Remove a folder if it is empty; whether it is gone. Raises OSError."""
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in _STAYS:
            raise
        return False
    return True


def _drop_byte_code(folder: str) -> None:
    cache = os.path.join(folder, "__pycache__")
    try:
        names = os.listdir(cache)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        source = os.path.join(folder, name.partition(".")[0] + ".py")
        if name.endswith(".pyc") and not os.path.lexists(source):
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(cache, name))
    _is_gone(cache)


def _is_below(path: str, roots: Sequence[str]) -> bool:
    return any(path.startswith(root.rstrip(os.sep) + os.sep) for root in roots)
