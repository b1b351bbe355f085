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
from collections.abc import Iterable, Iterator
from contextlib import suppress

from executor.environment.places import Places, Ways, is_below
from executor.environment.schemes import Schemes
from executor.files.mounts import mount_points
from executor.files.path_set import PathSet
from executor.transaction.errors import NotChangeable
from executor.transaction.landing import Landing, existing_folder

__all__ = ["PermissionCheck"]


_GET_FLAGS = 0x80006601 | struct.calcsize("l") << 16
"""``FS_IOC_GETFLAGS`` (https://man7.org/linux/man-pages/man2/ioctl_iflags.2.html)."""


_FIXED = 0x10 | 0x20
"""``FS_IMMUTABLE_FL`` and ``FS_APPEND_FL``: not even root can remove or replace such a file."""


_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


_OWNER = "run as that user, or as root"


class PermissionCheck:
    """The check of one commit: what is known of an environment while its entries are checked.

    Its methods raise NotChangeable for an entry that the commit could not change, and OSError.
    """

    def __init__(self, schemes: Schemes, ways: Ways) -> None:
        """``ways`` are those of the roots of ``schemes``."""
        self._packages = [os.path.realpath(folder) for folder in schemes.packages]
        self._user = os.geteuid()
        self._mounts = frozenset(point for point in mount_points() if is_below(point, ways.roots))
        self._folder = ""
        self._folder_status: os.stat_result | None = None
        self._left = ""
        """The last folder that entries go from, checked with its byte code and those above it."""
        self._cache: dict[str, NotChangeable] = {}
        """Why its byte code cannot be removed, by the name of the module."""
        self._free: set[int] = set()
        """Hashes of folders whose byte code can be removed."""

    def arriving(self, found: Iterable[Landing], going: PathSet) -> Iterator[Landing]:
        """Yield the landings that are ``found``, each after a check that it can be made.

        ``going`` are the keys of entries that were checked with ``goes``.
        """
        places = Places()
        folder, exists = "", False
        for landing in found:
            if landing.folder != folder:
                folder, exists = landing.folder, os.path.isdir(landing.folder)
                self.changes_in(existing_folder(folder))
            for name in landing.names if exists else ():
                entry = f"{landing.folder}/{name}"
                if os.path.lexists(entry) and places.key(entry) not in going:
                    self.goes(entry)
            yield landing

    def changes_in(self, folder: str) -> None:
        """Check that entries can be made and removed in ``folder``, if it is one."""
        if folder != self._folder and os.path.isdir(folder):
            _check_folder(folder)
            self._folder, self._folder_status = folder, os.stat(folder)

    def goes(self, entry: str) -> None:
        """Check that ``entry`` can be removed or replaced, if it exists and is not a folder, and
        what goes with it, also if somebody has removed it already.
        """
        folder, _, name = entry.rpartition("/")
        try:
            status = os.lstat(entry)
        except (FileNotFoundError, NotADirectoryError):
            # On a read-only file system, nothing goes that is not listed.
            if os.path.isdir(folder) and not _is_read_only(folder):
                self._leaves(folder)
            return
        # A folder goes only if it is empty in the end.
        if not stat.S_ISDIR(status.st_mode):
            self._check(entry, status)
            self._leaves(folder)
            if self._cache and name.endswith(".py") and name[:-3] in self._cache:
                raise self._cache[name[:-3]]

    def moves_away(self, folder: str) -> None:
        """Check that the dist-info folder ``folder`` can be moved to another folder."""
        with suppress(FileNotFoundError, NotADirectoryError):
            status = os.lstat(folder)
            self._check(folder, status)
            # rename(2): the entry ".." of a folder changes when it is moved.
            if stat.S_ISDIR(status.st_mode):
                _check_folder(folder)

    def _check(self, entry: str, status: os.stat_result) -> None:
        self.changes_in(os.path.dirname(entry))
        if self._folder_status is not None:
            self._check_sticky(entry, status, self._folder_status)
        if entry in self._mounts:
            raise NotChangeable(entry, "something is mounted on it", f"run umount {entry}")
        has_flags = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
        if has_flags and _flags(entry) & _FIXED:
            raise _fixed(entry)

    def _check_sticky(self, entry: str, status: os.stat_result, outer: os.stat_result) -> None:
        """Check that a sticky folder, whose status is ``outer``, lets ``entry`` go."""
        # unlink(2), rmdir(2): such a folder protects the entries of its users from each other.
        if outer.st_mode & stat.S_ISVTX and self._user not in {0, status.st_uid, outer.st_uid}:
            owner = _user_name(status.st_uid)
            raise NotChangeable(entry, f"its folder is sticky, and it belongs to {owner}", _OWNER)

    def _leaves(self, folder: str) -> None:
        """Check ``folder`` with ``_check_leaving``, once if nothing in it is in the way."""
        if folder != self._left:
            self._left, self._cache = folder, {}
            if hash(folder) not in self._free:
                with suppress(FileNotFoundError, NotADirectoryError):
                    self._check_leaving(folder)

    def _check_leaving(self, folder: str) -> None:
        """Check what a removal of entries from ``folder`` may bring: byte code goes with its
        source, which another user may have compiled, and packages that are emptied are removed.
        """
        cache = os.path.join(folder, "__pycache__")
        is_cache = os.path.isdir(cache) and not os.path.islink(cache)
        if is_cache and _flags(cache) & _FIXED:
            raise _fixed(cache)
        for name in os.listdir(cache) if is_cache else ():
            module, path = name.partition(".")[0], os.path.join(cache, name)
            if name.endswith(".pyc"):
                try:
                    self._check(path, os.lstat(path))
                except NotChangeable as problem:
                    # What has no source goes with the first file that leaves the folder.
                    if not os.path.lexists(os.path.join(folder, f"{module}.py")):
                        raise
                    self._cache[module] = problem
        if not self._cache:
            self._free.add(hash(folder))
        while is_below(folder, self._packages):
            inner, folder = folder, os.path.dirname(folder)
            _check_folder(folder)
            self._check_sticky(inner, os.lstat(inner), os.stat(folder))


def _check_folder(folder: str) -> None:
    """Check that the entries of a folder can be changed: an append-only one looks writable."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _denied(folder)
    if _flags(folder) & _FIXED:
        raise _fixed(folder)


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
    if _is_read_only(folder):
        remedy = "remount the read-only file system, or install elsewhere"
        return NotChangeable(folder, "is on a read-only file system", remedy)
    if _flags(folder) & _FIXED:
        return _fixed(folder)
    owner = os.stat(folder).st_uid
    if owner == os.geteuid():
        return NotChangeable(folder, "its mode forbids changes", f"run chmod u+wx {folder}")
    return NotChangeable(folder, f"is not writable and belongs to {_user_name(owner)}", _OWNER)


def _is_read_only(folder: str) -> bool:
    with suppress(OSError):  # a seccomp filter may refuse the call
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    return False


def _fixed(path: str) -> NotChangeable:
    return NotChangeable(path, "is immutable or append-only", f"run chattr -i -a {path}")


def _user_name(number: int) -> str:
    import pwd  # noqa: PLC0415  # on this path only

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
