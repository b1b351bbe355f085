"""Disk: whether the target's file system has room and inodes, asked before the first byte."""

from __future__ import annotations

import os
from collections.abc import Sequence

from executor.selection import Step
from executor.shortage import NotEnoughDisk, NotEnoughInodes

__all__ = ["check_disk", "is_in_memory"]

_MEMORY = {"ramfs", "tmpfs"}
"""File systems whose files are charged to who writes them, as long as they are there
(https://docs.kernel.org/filesystems/tmpfs.html)."""

_GUESSED_RATIO = 4
"""Unpacked size over wheel size where no hint tells: the mean of 994 real wheels is 3.4."""

_RESERVE = 8 << 20
"""Bytes beyond the files: folders, ledgers and the journal."""


_FOLDERS = 3
"""Files to a folder: ci-tools has 9,800 folders for 34,000 files."""

_RESERVED_INODES = 50


def check_disk(steps: Sequence[Step], path: str) -> int:
    """Bytes that the steps will take below ``path`` or its nearest existing ancestor.

    Raises NotEnoughDisk where that is more than is free, and NotEnoughInodes where the files are
    more, as far as hints tell.
    """
    status = os.statvfs(_existing(path))
    needed = _RESERVE + sum(_unpacked_size(step) for step in steps)
    available = status.f_bavail * status.f_frsize
    if needed > available:
        raise NotEnoughDisk(_existing(path), needed, available)
    files = sum(step.hints.files for step in steps if step.hints is not None)
    inodes = _RESERVED_INODES + files + files // _FOLDERS
    # btrfs and some network file systems make inodes as they need them, and state none.
    if files and status.f_files and inodes > status.f_favail:
        raise NotEnoughInodes(_existing(path), inodes, status.f_favail)
    return needed


def is_in_memory(path: str) -> bool:
    """Whether what is written below ``path`` stays in memory (proc_pid_mountinfo(5))."""
    device = os.stat(_existing(path)).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                mount, _, kind = line.partition(" - ")
                if mount.split()[2] == number:
                    return kind.split()[0] in _MEMORY
    except OSError:
        pass
    return False


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _unpacked_size(step: Step) -> int:
    if step.hints is not None:
        spool = 0 if step.hints.streamable else step.size or 0
        return step.hints.unpacked_size + spool
    return (step.size or 0) * _GUESSED_RATIO
