"""Wait until the disk holds what was written, before the next step depends on it.

Without it a machine that loses power may come back with files that are named and empty, and with
renames undone (https://lwn.net/Articles/322823/). One ``syncfs`` for all files costs what the disk
takes to write them; one ``fsync`` for each would cost a journal commit for each.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from typing import Any, Literal

from executor.files.c_library import c_library

__all__ = ["Durability", "flush", "sync_descriptor", "sync_folder"]


Durability = Literal["full", "kill"]
"""What an environment survives: the loss of power, or only the end of the process."""


_REFUSED = {errno.EPERM, errno.ENOSYS}
"""The answers of a seccomp filter to a system call that it does not allow."""

_NOT_ALONE = {*_REFUSED, errno.EINVAL, errno.EOPNOTSUPP}
"""The same, and those of file systems that sync no single folder (some FUSE and network ones)."""


def flush(paths: Iterable[str]) -> None:
    """Wait until everything written on the file systems of ``paths`` is on disk.

    A path that is not a folder stands for the nearest one above it: in place of a folder, users
    have pipes, which would be waited for, and sockets. Raises OSError, also for an earlier write
    that failed.
    """
    done = set()
    for path in paths:
        existing = path
        while not os.path.isdir(existing):
            existing = os.path.dirname(existing)
        descriptor = os.open(existing, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            device = os.fstat(descriptor).st_dev
            if device not in done:
                done.add(device)
                _sync_file_system(descriptor)
        finally:
            os.close(descriptor)


def sync_descriptor(descriptor: int) -> None:
    """Wait until one open file or folder is on disk; if the system refuses to sync one alone, until
    its whole file system is. Raises OSError.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NOT_ALONE:
            raise
        _sync_file_system(descriptor)


def sync_folder(path: str) -> None:
    """Wait until the entries of one folder are on disk: renames into it, above all.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_descriptor(descriptor)
    finally:
        os.close(descriptor)


def _sync_file_system(descriptor: int) -> None:
    libc = _libc()
    if libc is None:
        os.sync()
    elif libc.syncfs(descriptor) != 0:
        import ctypes  # noqa: PLC0415

        error = ctypes.get_errno()
        if error not in _REFUSED:
            raise OSError(error, os.strerror(error))
        os.sync()


def _libc() -> Any:
    """Return the C library if it has syncfs (https://man7.org/linux/man-pages/man2/syncfs.2.html)."""
    # Python has no function for it yet.
    libc = c_library()
    return libc if hasattr(libc, "syncfs") else None
