"""Errors of disks, and of memory for files, that are too small."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import NotEnough

__all__ = ["NoMemoryForFiles", "NotEnoughDisk", "NotEnoughInodes", "mib_above", "mib_below"]


def mib_above(size: int) -> int:
    """Return ``size`` bytes in MiB, rounded up: so what is needed never reads as what there is."""
    return -(-size >> 20)


def mib_below(size: int) -> int:
    """Return ``size`` bytes in MiB, rounded down."""
    return max(0, size) >> 20


@with_fields
class NotEnoughDisk(NotEnough):
    """A file system has fewer free bytes than will be written to it. All sizes are in bytes."""

    path: str
    mount: str
    """Where the file system begins."""
    needed: int
    available: int
    hint: str

    def __str__(self) -> str:
        return (
            f"{self.path}: needs {mib_above(self.needed)} MiB of disk, "
            f"{mib_below(self.available)} MiB are free on {self.mount}"
        )


@with_fields
class NotEnoughInodes(NotEnough):
    """A file system has fewer free inodes than files will be written to it."""

    path: str
    mount: str
    """Where the file system begins."""
    needed: int
    available: int
    hint: str

    def __str__(self) -> str:
        return f"{self.path}: needs {self.needed} inodes, {self.available} are free on {self.mount}"


@with_fields
class NoMemoryForFiles(NotEnough):
    """The files on a file system that is memory take more than is left for them."""

    hint: str = "raise the memory limit, or install onto a disk"

    def __str__(self) -> str:
        return "the files take more memory than is left: their file system is memory (tmpfs)"
