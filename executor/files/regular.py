"""Files that somebody else may have made, read without waiting and without end."""

from __future__ import annotations

import errno
import os
import stat
from codecs import BOM_UTF8
from contextlib import suppress
from io import BufferedReader, FileIO, TextIOWrapper
from typing import Any, BinaryIO, TextIO

__all__ = [
    "NOT_REGULAR", "NO_END", "open_at_once", "open_regular", "read_input", "read_regular",
    "refuse_planted", "replaced_place", "unmarked_text",
]  # fmt: skip


NOT_REGULAR = frozenset({errno.ENOENT, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENXIO})
"""The errors of ``open_regular`` where there is no regular file: nothing, a pipe or a device, a
folder, a link (or one to itself, if links are followed), a socket."""


NO_END = "it is a link to nothing"


_FOR_ALL = stat.S_ISVTX | stat.S_IWOTH
"""The mode bits of a folder such as /tmp: all users may create files, and remove only their own."""


_MAX_INPUT = 64 << 20
"""Bytes of a file of settings or requirements that are read; real ones have a few kilobytes."""


_OPEN_ALREADY = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")
"""Where a shell puts the pipe of ``<(...)``; somebody writes to it."""


_BLOCK = 4 << 10
"""Bytes read at once at the end of a file, which may have grown."""


def open_regular(path: str, *, dir_fd: int | None = None) -> BinaryIO:
    """Return an open regular file, whose links are followed, or a pipe that a shell has opened.

    In the folder ``dir_fd``, if that is given, no link is followed and no pipe is opened. Raises
    OSError: EINVAL for another pipe, a device or a socket, EISDIR for a folder, ELOOP for a link.
    """
    if dir_fd is None and path.startswith(_OPEN_ALREADY):
        return open(path, "rb")
    descriptor, _ = _opened(path, dir_fd, follow=dir_fd is None)
    return BufferedReader(_Present(descriptor, "rb"))


class _Present(FileIO):
    """A file that was opened without waiting. A few of the kernel are regular and have nothing yet,
    such as /proc/kmsg.
    """

    def readinto(self, buffer: Any) -> int:
        """Raise OSError with EAGAIN where Python says None, which no reader expects."""
        count = super().readinto(buffer)
        if count is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return count

    def readall(self) -> bytes:
        """Raise OSError with EAGAIN, as ``readinto`` does."""
        content = super().readall()
        if content is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return content


def unmarked_text(file: BinaryIO) -> TextIO:
    """Return an open file, at its begin, as UTF-8 text, without the byte order mark that editors of
    Windows put before it. Ends of lines stay as they are.
    """
    # Python's utf-8-sig decodes with a class in Python, of which large files would take long.
    if file.read(len(BOM_UTF8)) != BOM_UTF8:
        file.seek(0)
    return TextIOWrapper(file, "utf-8", newline="")


def refuse_planted(path: str) -> None:
    """Raise PermissionError if ``path`` is a link that another user has made in a folder for all,
    such as /tmp: a file would be written wherever it leads.

    Linux does this itself if fs.protected_symlinks is set, which it is not in every container
    (https://docs.kernel.org/admin-guide/sysctl/fs.html#protected-symlinks).
    """
    try:
        link = os.lstat(path)
        folder = os.stat(os.path.dirname(path) or os.curdir)
    except OSError:
        return
    if not stat.S_ISLNK(link.st_mode) or folder.st_mode & _FOR_ALL != _FOR_ALL:
        return
    if link.st_uid not in {os.geteuid(), folder.st_uid}:
        raise PermissionError(errno.EACCES, "it is a link of another user", path)


def replaced_place(path: str) -> str | None:
    """Return the path of the file that a new one for ``path`` replaces, whether it exists or not;
    None for a device or a pipe, which is opened instead: as root, a file would take the place of
    /dev/null for every program.

    A link to a file stays a link. One to nothing is refused: a checkout may have brought it, and a
    new file would be made wherever it leads. So is the link of another user in /tmp. Raise OSError.
    """
    refuse_planted(path)
    if os.path.islink(path) and not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, NO_END, path)
    with suppress(OSError):  # there is none yet
        mode = os.stat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return None
    return os.path.realpath(path)


def open_at_once(path: str, flags: int) -> int:
    """Return a descriptor of the file at ``path``; the opener of a file that a user names to be
    written.

    A pipe without a reader would be waited for. Raises OSError, ENXIO for such a pipe.
    """
    refuse_planted(path)
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(descriptor, True)
    return descriptor


def read_input(path: str) -> bytes:
    """Return the contents of a file of text that a user, a project or a tool has made.

    Raises what ``open_regular`` raises, and OSError with EFBIG for a file beyond measure.
    """
    return read_regular(path, _MAX_INPUT, follow=True)


def read_regular(
    path: str, limit: int, *, dir_fd: int | None = None, follow: bool = False
) -> bytes:
    """Return the contents of a regular file of at most ``limit`` bytes.

    ``path`` is relative to the folder ``dir_fd``, if that is given. A link is followed only with
    ``follow``, and then the pipe of a shell is read too. Raises OSError: with ELOOP for a link,
    EINVAL for a FIFO, a device or a socket, EISDIR for a folder, and EFBIG for a larger file.
    """
    if follow and path.startswith(_OPEN_ALREADY):
        descriptor, size = os.open(path, os.O_RDONLY | os.O_CLOEXEC), 0
    else:
        descriptor, size = _opened(path, dir_fd, follow=follow)
    try:
        parts = []
        left = limit + 1
        # At most what is there: Python takes memory for all that could come.
        while left and (part := os.read(descriptor, min(left, max(size, _BLOCK), 1 << 20))):
            parts.append(part)
            left -= len(part)
            size -= len(part)
        if not left:
            raise OSError(errno.EFBIG, f"larger than {limit} bytes", path)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def _opened(path: str, dir_fd: int | None, *, follow: bool) -> tuple[int, int]:
    """Return a descriptor of a regular file, and its size in bytes."""
    # Without O_NONBLOCK, opening a FIFO waits for a writer.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags, dir_fd=dir_fd)
    status = os.fstat(descriptor)
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return descriptor, status.st_size
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    raise OSError(errno.EINVAL, "not a regular file", path)
