"""The bytes and inodes that a file system has free, against those that will be written to it."""

from __future__ import annotations

import errno
import os

from executor.files.errors import NotEnoughDisk, NotEnoughInodes
from executor.files.mounts import existing, mount_of
from schemas.data_class import with_fields
from schemas.demand import BLOCK_SIZE

__all__ = ["Need", "check_space"]


@with_fields
class Need:
    """The bytes and inodes that will be written to one file system."""

    bytes: int = 0
    inodes: int = 0

    def add_entry(self, path: str) -> None:
        """Add a file, or a folder with all that is in it."""
        self.inodes += 1
        if os.path.isdir(path) and not os.path.islink(path):
            self.add_tree(path)
        else:
            self.bytes += -(-os.lstat(path).st_size // BLOCK_SIZE) * BLOCK_SIZE

    def add_tree(self, folder: str) -> None:
        """Add all files and folders below ``folder``."""
        for place, folders, files in os.walk(folder):
            self.inodes += len(folders) + len(files)
            for name in files:
                size = os.lstat(os.path.join(place, name)).st_size
                self.bytes += -(-size // BLOCK_SIZE) * BLOCK_SIZE


def check_space(path: str, need: Need, so_far: str = "") -> None:
    """Raise NotEnoughDisk or NotEnoughInodes if the file system of ``path`` lacks ``need``.

    ``so_far``, what was written until now, begins the hint.
    """
    place = existing(path)
    try:
        status = os.statvfs(place)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOSYS}:
            raise
        return  # a seccomp filter refuses the call: what is free is not known
    available = status.f_bavail * status.f_frsize
    # A ramfs, as the root of an initial RAM disk is, states no size: only memory limits it.
    if status.f_blocks and need.bytes > available:
        hint = f"{so_far}free space there, or name another place"
        raise NotEnoughDisk(place, mount_of(place), need.bytes, available, hint)
    # btrfs and some network file systems make inodes as they need them, and state none.
    if status.f_files and need.inodes > status.f_favail:
        hint = f"{so_far}remove files there, or name another place"
        raise NotEnoughInodes(place, mount_of(place), need.inodes, status.f_favail, hint)
