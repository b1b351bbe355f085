"""Disk space."""

from __future__ import annotations

import os
from dataclasses import dataclass

from executor.files.errors import NotEnoughDisk, NotEnoughInodes
from executor.files.mounts import _existing, _mount_of
from schemas.demand import BLOCK_SIZE

__all__ = ["Need", "check_space"]


@dataclass(slots=True)
class Need:
    """What will be written onto a file system."""

    bytes: int = 0
    inodes: int = 0

    def add_tree(self, folder: str) -> None:
        for place, folders, files in os.walk(folder):
            self.inodes += len(folders) + len(files)
            for name in files:
                size = os.lstat(os.path.join(place, name)).st_size
                self.bytes += -(-size // BLOCK_SIZE) * BLOCK_SIZE


def check_space(path: str, need: Need, so_far: str = "") -> None:
    """Whether the file system of ``path`` has it; ``so_far`` begins the hint where it has not."""
    place = _existing(path)
    status = os.statvfs(place)
    available = status.f_bavail * status.f_frsize
    if need.bytes > available:
        hint = f"{so_far}free space there, or install elsewhere"
        raise NotEnoughDisk(place, _mount_of(place), need.bytes, available, hint)
    # btrfs and some network file systems make inodes as they need them, and state none.
    if status.f_files and need.inodes > status.f_favail:
        hint = f"{so_far}remove files there, or install elsewhere"
        raise NotEnoughInodes(place, _mount_of(place), need.inodes, status.f_favail, hint)
