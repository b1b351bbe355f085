"""Small files that somebody else may have made, read without waiting and without end."""

from __future__ import annotations

import errno
import os
import stat

__all__ = ["read_regular"]


def read_regular(
    path: str, limit: int, *, dir_fd: int | None = None, follow: bool = False
) -> bytes:
    """Return the contents of a regular file of at most ``limit`` bytes.

    ``path`` is relative to the folder ``dir_fd``, if that is given. A link is followed only with
    ``follow``. Raises OSError: with ELOOP for a link, EINVAL for a FIFO, a device or a folder, and
    EFBIG for a larger file.
    """
    # Without O_NONBLOCK, opening a FIFO waits for a writer.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags, dir_fd=dir_fd)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        parts = []
        left = limit + 1
        while left and (part := os.read(descriptor, min(left, 1 << 20))):
            parts.append(part)
            left -= len(part)
        if not left:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", path)
        return b"".join(parts)
    finally:
        os.close(descriptor)
