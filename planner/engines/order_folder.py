"""The temporary folder of one ordered build, which the next order removes if its worker was killed.

Whoever uses a folder holds a lock (flock) on it: the worker, and the build that it has started. The
kernel gives the lock up when the last of them ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from executor import try_lock

__all__ = ["order_folder"]


_PREFIX = "lockstream-order-"


@contextmanager
def order_folder() -> Iterator[tuple[str, int]]:
    """Yield a new folder, and a descriptor for the build to inherit: as long as it is open
    somewhere, the folder is in use. Remove first what killed workers have left.

    Raises OSError.
    """
    place = tempfile.gettempdir()
    _sweep(place)
    folder, claim = _made(place)
    try:
        yield folder, claim
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(claim)


def _made(place: str) -> tuple[str, int]:
    while True:
        folder = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
        with suppress(FileNotFoundError):
            claim = _opened(folder)
            if try_lock(claim) and os.path.lexists(folder):
                return folder, claim
            os.close(claim)
        # Another order has removed it before it was locked.


def _sweep(place: str) -> None:
    """Remove the folders of this user in ``place`` that nobody uses any more."""
    for entry in os.scandir(place):
        if not entry.name.startswith(_PREFIX):
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
