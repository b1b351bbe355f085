"""Errors of a transaction: what it refuses before the commit, and what stops it."""

from __future__ import annotations

import errno
import os
from dataclasses import field
from typing import Literal

from schemas.data_class import with_fields
from schemas.errors import (
    ArtifactRefused,
    LockstreamError,
    NotEnough,
    NotPermitted,
    SubjectProblem,
)

__all__ = [
    "FileConflict",
    "JournalRefused",
    "NoFolder",
    "NotChangeable",
    "OutOfMemory",
    "Reached",
    "StagingRefused",
    "WriteDenied",
    "WriteFailed",
    "translated_os_error",
]


@with_fields
class FileConflict(ArtifactRefused):
    """Two distributions own one path with different contents, or as a file and as a folder."""

    path: str
    owner: str
    other: str
    hint: str = "lock only one of the two, or let the later name win with --on-collision last"

    def __str__(self) -> str:
        return f"{self.path}: belongs to {self.other} and, with other contents, to {self.owner}"


@with_fields
class NotChangeable(SubjectProblem, NotPermitted):
    """A file or folder of the environment that a commit would change cannot be changed."""

    path: str
    problem: str
    remedy: str
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        self.hint = f"{self.remedy}, then run the command again"
        self.left = "the environment is as it was before"


@with_fields
class StagingRefused(ArtifactRefused):
    """The staging folder, or a file in it, was not made for this environment by a user who may
    change it.
    """

    path: str
    problem: str
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        self.hint = f"remove {self.path} and run the command again"

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}, so it is not used to stage wheels"


@with_fields
class JournalRefused(ArtifactRefused):
    """A journal that this run will not obey: it is damaged, or leaves the environment."""

    path: str
    problem: str
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        self.hint = (
            "if an interrupted run left it, name the environment as that run did (--venv, "
            "--prefix, --target, --python); if it came with a checkout or an archive, remove "
            f"{os.path.dirname(self.path)}"
        )

    def __str__(self) -> str:
        return f"{self.path}: is not a journal of this environment: {self.problem}"


Reached = Literal["nothing", "commit", "end"]
"""How far a transaction came: the environment is as it was; the commit has begun, so the next run
finishes it; everything is done."""


def _advice(reached: Reached, remedy: str) -> str:
    match reached:
        case "nothing":
            return f"the environment is as it was before; {remedy}, then run the command again"
        case "commit":
            return f"{remedy}, then run the command again: it finishes what was begun"
        case "end":
            return f"the environment is what the lock says; {remedy}"


@with_fields
class OutOfMemory(NotEnough):
    """The system refused memory to the process (a limit of its address space)."""

    reached: Reached = "nothing"
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        self.hint = _advice(self.reached, "raise the limit (ulimit -v or -d) or use --lanes 1")

    def __str__(self) -> str:
        return "there is no memory left"


@with_fields
class WriteFailed(NotEnough):
    """The file system failed to make a change."""

    path: str
    error: OSError
    reached: Reached = "nothing"
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        remedy = _REMEDIES.get(self.error.errno or 0, "fix the cause")
        self.hint = _advice(self.reached, remedy)

    def __str__(self) -> str:
        return f"{self.path}: {os.strerror(self.error.errno or 0)}"


@with_fields
class WriteDenied(NotPermitted):
    """The system does not permit a change."""

    path: str
    error: OSError
    reached: Reached = "nothing"
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        number = self.error.errno or 0
        way = _DENIALS.get(number, "fix the cause")
        if self.reached == "nothing" and number in {errno.EACCES, errno.EPERM}:
            way += ", or name an environment that this user may write to (--venv DIR)"
        self.hint = _advice(self.reached, way)

    def __str__(self) -> str:
        return f"{self.path}: {os.strerror(self.error.errno or 0)}"


@with_fields
class NoFolder(ArtifactRefused):
    """A path in the environment leads to a file, or to a link that leads to itself, where a folder
    has to be.
    """

    path: str
    error: OSError
    reached: Reached = "nothing"
    hint: str = field(init=False)

    def __post_init__(self) -> None:
        self.hint = _advice(
            self.reached, "move the file or the link away: there has to be a folder in its place"
        )

    def __str__(self) -> str:
        return f"{self.path}: {os.strerror(self.error.errno or 0)}"


_REMEDIES = {
    errno.ENOSPC: "free disk space or inodes",
    errno.EDQUOT: "raise the disk quota",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "end programs that hold many files open",
    errno.ENAMETOOLONG: "install into a folder with a shorter path",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.EIO: "look for the fault of the disk in the kernel's log",
    errno.EBUSY: "unmount what is mounted there",
}


_DENIALS = {
    errno.EROFS: "remount the read-only file system, or install elsewhere",
    errno.EACCES: "run as the user who owns it",
    errno.EPERM: "run as the user who owns it, or chattr -i -a if it is immutable",
    errno.ENOSYS: "let the container's filter of system calls (seccomp) allow it",
}


_NO_FOLDER = frozenset({errno.ENOTDIR, errno.EEXIST, errno.ELOOP})


def translated_os_error(error: OSError, path: str, reached: Reached = "nothing") -> LockstreamError:
    """Return the error for an OSError: the one place where the file system's errors become ours.

    ``path`` is used if the error does not name an absolute path; ``reached`` is how far the
    transaction came.
    """
    name = error.filename if isinstance(error.filename, str) else ""
    kind: type[WriteDenied | WriteFailed | NoFolder] = WriteFailed
    if error.errno in _DENIALS:
        kind = WriteDenied
    elif error.errno in _NO_FOLDER:
        kind = NoFolder
    return kind(name if os.path.isabs(name) else path, error, reached)
