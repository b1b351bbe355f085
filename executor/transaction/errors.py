"""Shortage: memory or disk that there is not enough of, or that is taken away meanwhile."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import Literal

from schemas.errors import LockstreamError, NotEnough

__all__ = [
    "BudgetTooSmall",
    "ForkKilled",
    "LaneKilled",
    "NotEnoughDisk",
    "NotEnoughInodes",
    "OutOfMemory",
    "Reached",
    "WriteFailed",
    "translated_os_error",
]


Reached = Literal["nothing", "commit", "end"]
"""How far a transaction came: the environment is as it was; it was decided on, so that the next run
finishes it; all of it is done."""


def _advice(reached: Reached, remedy: str) -> str:
    match reached:
        case "nothing":
            return f"the environment is as it was before; {remedy}, run it again"
        case "commit":
            return f"{remedy}, then run it again: it finishes what was begun"
        case "end":
            return f"the environment is what the lock says; {remedy}"


def _mib_above(size: int) -> int:
    """Rounded so that what is needed never looks the same as what there is."""
    return -(-size >> 20)


def _mib_below(size: int) -> int:
    return max(0, size) >> 20


@dataclass(eq=False)
class BudgetTooSmall(NotEnough):
    """The memory given does not hold even one lane. All sizes in bytes."""

    needed: int
    available: int
    source: str
    held: int = 0
    """By the files that will be installed, where their file system is memory itself."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the figures
        total = _mib_above(self.needed + self.held)
        remedy = f"give it at least {total} MiB: a larger limit, or --memory"
        return f"{remedy}; or install onto a disk" if self.held else remedy

    def __str__(self) -> str:
        files = f" and the files on a tmpfs {_mib_above(self.held)} MiB" if self.held else ""
        return (
            f"one lane needs {_mib_above(self.needed)} MiB of memory{files}, "
            f"but {self.source} leaves {_mib_below(self.available)} MiB"
        )


@dataclass(eq=False)
class LaneKilled(NotEnough):
    """A lane was ended from outside."""

    signal: str
    hint: str = (
        "the environment is as it was before; if the kernel did it (SIGKILL), memory ran out: "
        "give a budget with --memory, or --lanes 1"
    )

    def __str__(self) -> str:
        return f"a lane was ended by {self.signal}"


@dataclass(eq=False)
class ForkKilled(NotEnough):
    """What reads the lock was ended from outside."""

    signal: str
    hint: str = "nothing was written; if the kernel did it (SIGKILL), memory ran out: give it more"

    def __str__(self) -> str:
        return f"what reads the lock was ended by {self.signal}"


@dataclass(eq=False)
class NotEnoughDisk(NotEnough):
    """A file system is too small for what goes there. All sizes in bytes."""

    path: str
    mount: str
    """Where the file system begins."""
    needed: int
    available: int
    hint: str

    def __str__(self) -> str:
        return (
            f"{self.path}: needs {_mib_above(self.needed)} MiB of disk, "
            f"{_mib_below(self.available)} MiB are free on {self.mount}"
        )


@dataclass(eq=False)
class NotEnoughInodes(NotEnough):
    """A file system has room for the bytes that go there, and not for so many files."""

    path: str
    mount: str
    """Where the file system begins."""
    needed: int
    available: int
    hint: str

    def __str__(self) -> str:
        return f"{self.path}: needs {self.needed} inodes, {self.available} are free on {self.mount}"


@dataclass(eq=False)
class OutOfMemory(NotEnough):
    """The process was refused memory that it asked for (a limit of its address space)."""

    reached: Reached = "nothing"
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        self.hint = _advice(self.reached, "raise the limit (ulimit -v) or use --lanes 1")

    def __str__(self) -> str:
        return "there is no memory left"


@dataclass(eq=False)
class WriteFailed(NotEnough):
    """The file system did not take what was written."""

    path: str
    error: OSError
    reached: Reached = "nothing"
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        remedy = _REMEDIES.get(self.error.errno or 0, "mend the cause")
        self.hint = _advice(self.reached, remedy)

    def __str__(self) -> str:
        return f"{self.path}: {os.strerror(self.error.errno or 0)}"


_REMEDIES = {
    errno.ENOSPC: "free disk space or inodes",
    errno.EDQUOT: "raise the disk quota",
    errno.EROFS: "remount the read-only file system, or install elsewhere",
    errno.EACCES: "be the user who owns it",
    errno.EPERM: "be the user who owns it",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "end programs that hold many files open",
    errno.ENAMETOOLONG: "install into a folder with a shorter path",
    errno.EIO: "look for the fault of the disk in the kernel's log",
}


def translated_os_error(error: OSError, path: str, reached: Reached = "nothing") -> LockstreamError:
    """The one place where an error of the file system becomes ours.

    ``path`` is what was written, for an error that does not name it; ``reached`` how far the
    transaction came.
    """
    name = error.filename if isinstance(error.filename, str) else ""
    return WriteFailed(name if os.path.isabs(name) else path, error, reached)
