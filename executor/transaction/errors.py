"""Shortage: memory or disk that there is not enough of, or that is taken away meanwhile."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import Literal

from schemas.errors import ArtifactRefused, LockstreamError, NotEnough

__all__ = ["FileConflict", "OutOfMemory", "Reached", "WriteFailed", "translated_os_error"]


@dataclass(eq=False)
class FileConflict(ArtifactRefused):
    """Two distributions own one path with different contents."""

    path: str
    owner: str
    other: str
    hint: str = "lock only one of the two"

    def __str__(self) -> str:
        return f"{self.path}: belongs to {self.other} and, with other contents, to {self.owner}"


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
