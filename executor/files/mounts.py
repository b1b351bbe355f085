"""The file systems that paths are on, as far as they matter for the memory that writing takes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Literal

__all__ = [
    "FileSystem",
    "device_of",
    "existing",
    "file_system",
    "has_journal",
    "is_in_memory",
    "is_overlay",
    "mount_of",
    "mount_points",
]


FileSystem = Literal["ext4", "overlay", "other"]
"""The kinds whose inodes take different amounts of memory: ext4 and file systems like it, an
overlay on them, anything else."""


_MEMORY = {"ramfs", "rootfs", "tmpfs"}
"""File systems whose files are memory, charged to the cgroup that writes them for as long as they
exist (https://docs.kernel.org/filesystems/tmpfs.html)."""


_LIKE_EXT4 = _MEMORY | {"ext2", "ext3", "ext4"}
"""File systems that free an inode as soon as the kernel reclaims memory. XFS does so later, in the
background (https://docs.kernel.org/filesystems/xfs/xfs-delayed-logging-design.html); others were
not measured."""


_OVERLAY = "overlay"
"""The root of most containers. Its mount does not name the file system that its layers are on, but
some files of every container, such as /etc/hosts, are mounted from a disk of the host."""


_JOURNALS = "/proc/fs/jbd2"
"""Has a folder for each journal of a mounted ext4, such as ``sda1-8``: the disk, and the inode of
the journal (fs/jbd2/journal.c). The folder that it is in is missing, too, where only processes are
shown (``mount -t proc -o subset=pid``)."""


_JOURNALED = {"ext3", "ext4", _OVERLAY}
"""What has such a journal, or may have one if that cannot be seen."""


_DISKS = "/sys/dev/block"
"""Has a link for each disk, by its number (https://man7.org/linux/man-pages/man5/sysfs.5.html)."""


_ESCAPE = re.compile(rb"\\([0-3][0-7]{2})")


_NUMBER, _POINT, _SOURCE = 2, 4, 1
"""Fields of a mount: the number of its device and its place, and after the dash its source."""


def is_in_memory(path: str) -> bool:
    """Return whether files below ``path`` are memory; those of an overlay are where its upper layer
    is, if that can be seen.
    """
    upper = _seen_upper(path)
    return is_in_memory(upper) if upper else _kind(path) in _MEMORY


def file_system(path: str) -> FileSystem:
    """Return the kind of file system that ``path`` is on, or will be."""
    kind = _kind(path)
    if kind == _OVERLAY:
        upper = _seen_upper(path)
        found = {_kind(upper)} if upper else set()
        disks = found or {kind for _, kind, source, *_ in _mounts() if source.startswith("/dev/")}
        return "overlay" if disks and disks <= _LIKE_EXT4 else "other"
    return "ext4" if kind in _LIKE_EXT4 else "other"


def is_overlay(path: str) -> bool:
    """Return whether ``path`` is on an overlay of the kernel, or will be."""
    return _kind(path) == _OVERLAY


def has_journal(path: str) -> bool:
    """Return whether ``path`` is on an ext4 with a journal, or may be: the mount of an overlay does
    not name the file system of its layers, and a container may show neither disks nor journals.
    """
    try:
        journals = os.listdir(_JOURNALS)
    except OSError:
        return not os.path.isdir(os.path.dirname(_JOURNALS)) and _kind(path) in _JOURNALED
    try:
        # As the kernel names it: cciss/c0d0 is cciss!c0d0 in both places.
        name = os.path.basename(os.readlink(os.path.join(_DISKS, _number(path))))
    except OSError:
        return bool(journals) and _kind(path) in _JOURNALED
    return any(journal.rpartition("-")[0] == name for journal in journals)


def _kind(path: str) -> str | None:
    """Return the type of the file system that ``path`` is on, or will be; None if unknown."""
    number = _number(path)
    return next((kind for mounted, kind, *_ in _mounts() if mounted == number), None)


def _seen_upper(path: str) -> str | None:
    """Return the folder that the overlay of ``path`` writes to, if that can be seen; None if it
    cannot, or if ``path`` is not on an overlay.
    """
    if not is_overlay(path) or not (upper := _upper_of(path)) or not os.path.isdir(upper):
        return None
    # In a container the name of a folder of the host may be another folder.
    return upper if device_of(upper) != device_of(path) else None


def _upper_of(path: str) -> str | None:
    """Return the folder that the overlay of ``path`` writes to, as its mount names it."""
    number = _number(path)
    for mounted, *_, options in _mounts():
        if mounted == number:
            for option in options.split(","):
                name, _, folder = option.partition("=")
                if name == "upperdir":
                    return folder
    return None


def _mounts() -> Iterator[tuple[str, str, str, str]]:
    """Yield the device number, the type, the source and the options of each mount
    (proc_pid_mountinfo(5)); lines that are none are left out.
    """
    for line in _lines():
        mount, _, mounted = line.rstrip("\n").partition(" - ")
        # A source may be empty.
        before, after = mount.split(" "), mounted.split(" ")
        if len(before) > _POINT and len(after) > _SOURCE:
            yield before[_NUMBER], after[0], after[_SOURCE], after[-1]


def _lines() -> Iterator[str]:
    """Yield the lines of the mounts of this process; none if they are unknown."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
            yield from lines
    except OSError:
        return


def _number(path: str) -> str:
    """Return the number of ``device_of`` as the kernel writes it: ``major:minor``."""
    device = device_of(path)
    return f"{os.major(device)}:{os.minor(device)}"


def mount_points() -> Iterator[str]:
    """Yield the absolute paths on which something is mounted (proc_pid_mountinfo(5))."""
    try:
        with open("/proc/self/mountinfo", "rb") as lines:
            for line in lines:
                # Spaces, tabs, line ends and backslashes are octal escapes.
                fields = line.split()
                if len(fields) > _POINT:
                    path = _ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), fields[_POINT])
                    yield os.fsdecode(path)
    except OSError:
        return


def device_of(path: str) -> int:
    """Return the device number of the file system that ``path`` is on, or will be."""
    return os.stat(existing(path)).st_dev


def mount_of(path: str) -> str:
    """Return the folder that the file system of ``path``, which exists, is mounted on."""
    path = os.path.realpath(path)
    device = os.stat(path).st_dev
    while (above := os.path.dirname(path)) != path and os.stat(above).st_dev == device:
        path = above
    return path


def existing(path: str) -> str:
    """Return ``path``, or the nearest folder above it that exists."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path
