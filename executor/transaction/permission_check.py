"""Check before a commit that every entry it removes or replaces can be changed.

A commit that stops in the middle leaves an environment that is part old and part new. So the causes
that can be foreseen are looked for while everything is still as it was: folders of other users,
sticky folders, immutable files, read-only file systems, and mount points.
"""

from __future__ import annotations

import fcntl
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress

from executor.environment.installed import Installed
from executor.environment.places import Ways, is_below
from executor.environment.schemes import Schemes
from executor.files.mounts import mount_points
from executor.transaction.errors import NotChangeable
from executor.transaction.journal import Move
from executor.transaction.landing import existing_folder, landings

__all__ = ["check_permissions"]


_GET_FLAGS = 0x80006601 | struct.calcsize("l") << 16
"""``FS_IOC_GETFLAGS`` (https://man7.org/linux/man-pages/man2/ioctl_iflags.2.html)."""


_FIXED = 0x10 | 0x20
"""``FS_IMMUTABLE_FL`` and ``FS_APPEND_FL``: not even root can remove or replace such a file."""


_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


_OWNER = "run as that user, or as root"


def check_permissions(
    going: Iterable[str],
    remove: Iterable[Installed],
    moves: Iterable[Move],
    schemes: Schemes,
    staging: str,
) -> None:
    """Raise NotChangeable for the first entry that a commit could not change.

    ``going`` are the entries that it removes, and ``remove`` the distributions that they belong to;
    ``moves`` go out of the folder ``staging``. Raises OSError too.
    """
    ways = Ways(schemes.roots)
    check = _Check(ways)
    for found in remove:
        check.moves_away(found.path)
    for entry in going:
        check.goes(entry)
    for landing in landings(moves, staging, ways):
        check.changes_in(existing_folder(landing.folder))
        if os.path.isdir(landing.folder):
            for name in landing.names:
                check.goes(os.path.join(landing.folder, name))


class _Check:
    """What is known of one environment while its entries are checked."""

    def __init__(self, ways: Ways) -> None:
        self._user = os.geteuid()
        self._mounts = frozenset(point for point in mount_points() if is_below(point, ways.roots))
        self._folder = ""
        self._folder_status: os.stat_result | None = None
        self._cache = ""
        """The last ``__pycache__`` that entries can be removed from."""

    def changes_in(self, folder: str) -> None:
        """Check that entries can be made and removed in ``folder``, if it is one."""
        if folder != self._folder and os.path.isdir(folder):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise _denied(folder)
            self._folder, self._folder_status = folder, os.stat(folder)

    def goes(self, entry: str) -> None:
        """Check that ``entry`` can be removed or replaced, if it exists and is not a folder."""
        with suppress(FileNotFoundError, NotADirectoryError):
            status = os.lstat(entry)
            # A folder goes only if it is empty in the end.
            if not stat.S_ISDIR(status.st_mode):
                self._check(entry, status)
                if entry.endswith(".py"):
                    self._check_byte_code(entry)

    def moves_away(self, folder: str) -> None:
        """Check that the dist-info folder ``folder`` can be moved to another folder."""
        with suppress(FileNotFoundError, NotADirectoryError):
            status = os.lstat(folder)
            self._check(folder, status)
            # rename(2): the entry ".." of a folder changes when it is moved.
            if stat.S_ISDIR(status.st_mode) and not os.access(folder, os.W_OK | os.X_OK):
                raise _denied(folder)

    def _check(self, entry: str, status: os.stat_result) -> None:
        self.changes_in(os.path.dirname(entry))
        outer = self._folder_status
        # unlink(2): a sticky folder protects the files of its users from each other.
        is_sticky = outer is not None and outer.st_mode & stat.S_ISVTX
        if is_sticky and self._user not in {0, status.st_uid, outer and outer.st_uid}:
            owner = _user_name(status.st_uid)
            raise NotChangeable(entry, f"its folder is sticky, and it belongs to {owner}", _OWNER)
        if entry in self._mounts:
            raise NotChangeable(entry, "something is mounted on it", f"run umount {entry}")
        has_flags = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if has_flags and _flags(entry) & _FIXED:
            raise _fixed(entry)

    def _check_byte_code(self, source: str) -> None:
        """Check that the byte code of ``source`` can be removed: another user may have made it."""
        folder, name = os.path.split(source)
        cache = os.path.join(folder, "__pycache__")
        if cache == self._cache or os.path.islink(cache) or not os.path.isdir(cache):
            return
        if os.access(cache, os.W_OK | os.X_OK):
            self._cache = cache
        elif any(made.startswith(f"{name.removesuffix('.py')}.") for made in os.listdir(cache)):
            raise _denied(cache)


def _flags(path: str) -> int:
    """Return the inode flags of a file or folder; 0 if its file system has none."""
    try:
        descriptor = os.open(path, _OPEN)
    except OSError:
        return 0
    try:
        answer = fcntl.ioctl(descriptor, _GET_FLAGS, bytes(struct.calcsize("l")))
        return int(struct.unpack_from("I", answer)[0])
    except OSError:
        return 0
    finally:
        os.close(descriptor)


def _denied(folder: str) -> NotChangeable:
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        remedy = "remount the read-only file system, or install elsewhere"
        return NotChangeable(folder, "is on a read-only file system", remedy)
    if _flags(folder) & _FIXED:
        return _fixed(folder)
    owner = os.stat(folder).st_uid
    if owner == os.geteuid():
        return NotChangeable(folder, "its mode forbids changes", f"run chmod u+wx {folder}")
    return NotChangeable(folder, f"is not writable and belongs to {_user_name(owner)}", _OWNER)


def _fixed(path: str) -> NotChangeable:
    return NotChangeable(path, "is immutable or append-only", f"run chattr -i -a {path}")


def _user_name(number: int) -> str:
    import pwd  # noqa: PLC0415  # on this path only

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
