"""Seals: what only the file system can have given to a file, so that no archive can bring it."""

from __future__ import annotations

import os
import stat

__all__ = ["seal_of"]


def seal_of(path: str, *, dir_fd: int | None = None) -> str:
    """Return the number of a regular file and the time of its last change of any kind.

    The kernel sets both, and no call can choose them: a file that was copied, unpacked or checked
    out has others, whatever its contents and its other times. A rename of a folder above keeps
    them. ``path`` is relative to the folder ``dir_fd``, if that is given. Raises OSError;
    ValueError if ``path`` is a link or no file.
    """
    status = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is not a file")
    return f"{status.st_ino}:{status.st_ctime_ns}"
