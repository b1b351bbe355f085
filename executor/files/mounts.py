"""Mounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

__all__ = ["FileSystem", "device_of", "file_system", "has_journal", "is_in_memory"]


FileSystem = Literal["ext4", "overlay", "other"]
"""What the inodes of an environment are held by: ext4, an overlay over it, or anything else."""


_MEMORY = {"ramfs", "tmpfs"}
"""File systems whose files are charged to who writes them, as long as they are there
(https://docs.kernel.org/filesystems/tmpfs.html)."""


_LIKE_EXT4 = _MEMORY | {"ext2", "ext3", "ext4"}
"""File systems that free an inode when the kernel asks for its memory. XFS does so later, in the
background (https://docs.kernel.org/filesystems/xfs/xfs-delayed-logging-design.html); what others
do is not known here."""


_OVERLAY = "overlay"
"""What the root of most containers is. It does not tell what it lies on, but some files of every
container, such as /etc/hosts, are mounted from the disks of the host."""


_JOURNALS = "/proc/fs/jbd2"
"""Has a folder for each journal of an ext4 that is mounted, such as ``sda1-8``: the disk, and the
inode of the journal (fs/jbd2/journal.c)."""


_DISKS = "/sys/dev/block"
"""Has a link for each disk, by its number (https://man7.org/linux/man-pages/man5/sysfs.5.html)."""


def is_in_memory(path: str) -> bool:
    """Whether what is written below ``path`` stays in memory."""
    return _kind(path) in _MEMORY


def file_system(path: str) -> FileSystem:
    """What ``path`` is on, as far as it matters for the memory that inodes take."""
    kind = _kind(path)
    if kind == _OVERLAY:
        disks = {kind for _, kind, source in _mounts() if source.startswith("/dev/")}
        return "overlay" if disks and disks <= _LIKE_EXT4 else "other"
    return "ext4" if kind in _LIKE_EXT4 else "other"


def has_journal(path: str) -> bool:
    """Whether ``path`` is on an ext4 with a journal, or may be: an overlay does not tell what it
    lies on.
    """
    try:
        journals = os.listdir(_JOURNALS)
    except OSError:
        return False
    disk = os.path.join(_DISKS, _number(path))
    if not os.path.exists(disk):
        return bool(journals) and _kind(path) == _OVERLAY
    # As the kernel names it: cciss/c0d0 is cciss!c0d0 in both places.
    name = os.path.basename(os.path.realpath(disk))
    return any(journal.rpartition("-")[0] == name for journal in journals)


def _kind(path: str) -> str | None:
    """Of the file system that ``path`` is on, or will be, as far as that is told."""
    number = _number(path)
    return next((kind for mounted, kind, _ in _mounts() if mounted == number), None)


def _mounts() -> Iterator[tuple[str, str, str]]:
    """The number, the kind and the source of what is mounted (proc_pid_mountinfo(5))."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                mount, _, mounted = line.partition(" - ")
                kind, source, *_ = mounted.split(" ")
                yield mount.split()[2], kind, source
    except OSError:
        return


def _number(path: str) -> str:
    """That of ``device_of``, as the kernel writes it."""
    device = device_of(path)
    return f"{os.major(device)}:{os.minor(device)}"


def device_of(path: str) -> int:
    """The number of the file system that ``path`` is on, or will be."""
    return os.stat(_existing(path)).st_dev


def _mount_of(path: str) -> str:
    """The folder where the file system of ``path``, which exists, begins."""
    path = os.path.realpath(path)
    device = os.stat(path).st_dev
    while (above := os.path.dirname(path)) != path and os.stat(above).st_dev == device:
        path = above
    return path


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path
