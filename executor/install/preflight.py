"""Disk: whether each file system that is written to has room and inodes, asked before it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from executor.budget.budget import FileSystem
from executor.environment.schemes import Schemes
from executor.lock.step import Step
from executor.transaction.errors import NotEnoughDisk, NotEnoughInodes
from executor.transaction.journal import Move

__all__ = ["check_disk", "check_moves", "file_system", "has_journal", "is_in_memory"]


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


_GUESSED_RATIO = 4
"""Unpacked size over wheel size where no hint tells: the mean of 994 real wheels is 3.4."""


_RESERVE = 8 << 20
"""Bytes beyond the files: folders, ledgers and the journal."""


_FOLDERS = 3
"""Files to a folder: ci-tools has 9,800 folders for 34,000 files."""


_RESERVED_INODES = 50


_STAT_BLOCK = 512
"""Bytes of what ``st_blocks`` counts (https://man7.org/linux/man-pages/man3/stat.3type.html)."""


_BLOCK = 4096
"""Bytes that a file is rounded up to: the block of ext4, xfs and tmpfs where nobody chose one."""


def check_disk(steps: Sequence[Step], schemes: Schemes) -> int:
    """Bytes that the steps will take where they are staged, beside the pure packages.

    Of other file systems the platform's packages are counted; what else goes there is known when
    it is unpacked, see ``check_moves``. Raises NotEnoughDisk where a file system has less room, and
    NotEnoughInodes where the files are more, as far as hints tell.
    """
    whole = _need_of(steps)
    _check_room(schemes.purelib, whole, "nothing was written; ")
    if _device(schemes.platlib) != _device(schemes.purelib):
        binary = _need_of([step for step in steps if not step.filename.endswith("-any.whl")])
        _check_room(schemes.platlib, binary, "nothing was written; ")
    return whole.bytes


def check_moves(
    moves: Iterable[Move], staging: str, schemes: Schemes, going: Iterable[str]
) -> None:
    """Refuse moves out of the folder ``staging`` to other file systems that have no room for them:
    what cannot be renamed is copied, and a commit must not end in the middle.

    ``going`` are the paths of files that are removed before. Raises NotEnoughDisk, NotEnoughInodes
    and OSError.
    """
    here = _device(staging)
    if all(_device(root) == here for root in schemes.roots):
        return
    needs: dict[int, tuple[str, _Need]] = {}
    for move in moves:
        if (device := _device(move.destination)) != here:
            _, need = needs.setdefault(device, (move.destination, _Need()))
            need.add_tree(os.path.join(staging, move.source))
    for path in going if needs else ():
        with suppress(FileNotFoundError):
            status = os.lstat(path)
            if status.st_dev in needs:
                _, need = needs[status.st_dev]
                need.bytes -= status.st_blocks * _STAT_BLOCK
                need.inodes -= 1
    for path, need in needs.values():
        _check_room(path, need)


@dataclass(slots=True)
class _Need:
    """What will be written onto a file system."""

    bytes: int = 0
    inodes: int = 0

    def add_tree(self, folder: str) -> None:
        for place, folders, files in os.walk(folder):
            self.inodes += len(folders) + len(files)
            for name in files:
                size = os.lstat(os.path.join(place, name)).st_size
                self.bytes += -(-size // _BLOCK) * _BLOCK


def _need_of(steps: Sequence[Step]) -> _Need:
    files = sum(step.hints.files for step in steps if step.hints is not None)
    inodes = _RESERVED_INODES + files + files // _FOLDERS if files else 0
    return _Need(_RESERVE + sum(map(_unpacked_size, steps)), inodes)


def _check_room(path: str, need: _Need, so_far: str = "") -> None:
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
    """That of ``_device``, as the kernel writes it."""
    device = _device(path)
    return f"{os.major(device)}:{os.minor(device)}"


def _device(path: str) -> int:
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


def _unpacked_size(step: Step) -> int:
    if step.hints is not None:
        spool = 0 if step.hints.streamable else step.size or 0
        return step.hints.unpacked_size + spool
    return (step.size or 0) * _GUESSED_RATIO
