"""Temporary folders that the next program of the same kind removes if their owner was killed.

Whoever uses a folder holds a lock (flock) on it, and so may a process that it starts. The kernel
gives the lock up when the last of them ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from executor import try_lock

__all__ = ["claimed_folder"]


@contextmanager
def claimed_folder(prefix: str) -> Iterator[tuple[str, int]]:
    """Yield a new folder, whose name begins with ``prefix``, and a descriptor: as long as that is
    open somewhere, the folder is in use. Remove first what killed owners of such folders have left.

    Raises OSError.
    """
    place = tempfile.gettempdir()
    _sweep(place, prefix)
    folder, claim = _made(place, prefix)
    try:
        yield folder, claim
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(claim)


def _made(place: str, prefix: str) -> tuple[str, int]:
    while True:
        folder = tempfile.mkdtemp(prefix=prefix, dir=place)
        with suppress(FileNotFoundError):
            claim = _opened(folder)
            if try_lock(claim) and os.path.lexists(folder):
                return folder, claim
            os.close(claim)
        # Another program has removed it before it was locked.


def _sweep(place: str, prefix: str) -> None:
    """Remove the folders of this user in ``place`` that no process uses."""
    for entry in os.scandir(place):
        if not entry.name.startswith(prefix):
            continue
        with suppress(OSError):  # it has just been removed, or belongs to another user
            descriptor = _opened(entry.path)
            try:
                if _is_ours(descriptor):
                    # Where nothing can be locked this fails, and nothing is removed.
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(entry.path, ignore_errors=True)
            finally:
                os.close(descriptor)


def _is_ours(descriptor: int) -> bool:
    """Return whether an open folder belongs to this user: others could make one with links."""
    return os.fstat(descriptor).st_uid == os.geteuid()


def _opened(folder: str) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
