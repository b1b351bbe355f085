"""Copies of files and folders to another file system, which appear under their names at once.

Files are read and written through descriptors of their folders, and links are copied as links.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

from executor.files.folders import write_spool
from executor.files.held_folder import HeldFolder

__all__ = ["copy_file", "copy_folder", "remove_copied"]


_NEW = ".lockstream-new"
"""Name of a file or folder while it is copied. One name for all, because a longer name than the
file's own may be too long."""


_CHUNK = 256 << 10
"""Bytes read at once."""


_NO_ATTRIBUTES = frozenset({
    errno.EOPNOTSUPP, errno.ENODATA, errno.EPERM, errno.EACCES, errno.EINVAL, errno.ENOSYS,
})  # fmt: skip
"""Why an extended attribute cannot be copied: the file system has none, or not for this user."""


def copy_file(source: HeldFolder, name: str, folder: HeldFolder, new: str) -> None:
    """Copy the file ``name`` in ``source``, with mode, times and attributes, to ``new`` in
    ``folder``, where it replaces a file. Raises OSError.
    """
    place = _place_of(folder, new)
    _copy(source, name, folder, place)
    folder.rename(place, new)


def copy_folder(source: HeldFolder, name: str, folder: HeldFolder, new: str) -> None:
    """Copy the folder ``name`` in ``source`` to ``new`` in ``folder``, with all that is in it.

    Raises OSError.
    """
    place = _place_of(folder, new)
    _copy_folder(source, name, folder, place)
    folder.rename(place, new)


def remove_copied(folder: HeldFolder, name: str) -> None:
    """Remove the folder ``name`` in ``folder``, of which there is a copy. Raises OSError.

    RECORD goes first: what is half removed then lists no files.
    """
    with folder.inner(name) as inner:
        with suppress(FileNotFoundError):
            inner.unlink("RECORD")
        for below, is_folder in inner.entries():
            if is_folder:
                remove_copied(inner, below)
            else:
                inner.unlink(below)
    folder.rmdir(name)


def _place_of(folder: HeldFolder, new: str) -> str:
    """Return the name for a copy next to ``new``; remove that of a killed run."""
    outer, slash, _ = new.rpartition("/")
    place = outer + slash + _NEW
    folder.remove(place)
    return place


def _copy_folder(source: HeldFolder, name: str, folder: HeldFolder, new: str) -> None:
    folder.make(new)
    with source.inner(name) as held, folder.inner(new) as copy:
        for below, is_folder in held.entries_once():
            (_copy_folder if is_folder else _copy)(held, below, copy, below)
        _copy_status(held.descriptor, copy.descriptor)


def _copy(source: HeldFolder, name: str, folder: HeldFolder, new: str) -> None:
    """Copy a file or a link."""
    if stat.S_ISLNK(source.status(name).st_mode):
        with source.parent(name) as (here, last), folder.parent(new) as (there, new_last):
            os.symlink(os.readlink(last, dir_fd=here), new_last, dir_fd=there)
        return
    with source.open(name) as file, folder.create(new, 0o600) as copy:
        write_spool(copy, iter(lambda: file.read(_CHUNK), b""))
        _copy_status(file.fileno(), copy.fileno())


def _copy_status(source: int, copy: int) -> None:
    """Give ``copy`` the mode, the times and the extended attributes of ``source``."""
    status = os.fstat(source)
    if hasattr(os, "listxattr"):
        try:
            for name in os.listxattr(source):
                os.setxattr(copy, name, os.getxattr(source, name))
        except OSError as error:
            if error.errno not in _NO_ATTRIBUTES:
                raise
    os.fchmod(copy, stat.S_IMODE(status.st_mode))
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
