"""The exit codes of the program and the root of every error it raises.

Errors carry the objects that they are about; their text is rendered late, by ``str()``, and reaches
the user in one place (``lockstream.main``). Each room defines its own errors below one of the
kinds listed here; the kind decides the exit code.
"""

from __future__ import annotations

import errno
from enum import IntEnum
from typing import Any

__all__ = [
    "ArtifactRefused",
    "BuildFailed",
    "ExitCode",
    "Interrupted",
    "InvalidInput",
    "InvalidLockText",
    "LockstreamError",
    "NetworkError",
    "NoSolution",
    "NotEnough",
    "NotPermitted",
    "NotWritten",
    "Refused",
    "SubjectProblem",
    "UsageError",
    "lock_hint",
    "system_error",
]


class ExitCode(IntEnum):
    """The exit status of the program."""

    DONE = 0
    REFUSED = 1
    """The answer is no: a stale lock, drift, a lock that does not fit."""
    USAGE = 2
    INVALID_INPUT = 3
    NO_SOLUTION = 4
    NETWORK = 5
    ARTIFACT_REFUSED = 6
    NOT_ENOUGH = 7
    BUILD_FAILED = 8
    NOT_PERMITTED = 9
    """The environment or a file may not be changed: permission, a read-only file system, another
    owner."""


class LockstreamError(Exception):
    """Root of all errors a user can meet.

    ``str(error)`` says what is wrong, what was expected and what was found;
    ``error.hint`` says what to do next, or is empty.
    """

    exit_code: ExitCode = ExitCode.REFUSED
    hint: str = ""
    left: str = ""
    """What remains for the next run, as a sentence."""

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException would repeat the constructor with positional arguments only.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(
    kind: type[LockstreamError], arguments: tuple[Any, ...], fields: dict[str, Any]
) -> LockstreamError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(fields)
    return error


class SubjectProblem:
    """The text of an error that says what is wrong with what.

    The error is a dataclass of one of the kinds below: its first field is the subject, such as a
    path or a package, and it has a field ``problem``.
    """

    problem: str

    def __str__(self) -> str:
        subject = next(iter(self.__dict__.values()))
        return f"{subject}: {self.problem}"


class Refused(LockstreamError):
    """The answer is no: a stale lock, drift, a lock that does not fit."""

    exit_code = ExitCode.REFUSED


class UsageError(LockstreamError):
    """The command line is not valid."""

    exit_code = ExitCode.USAGE

    def __init__(self, problem: str = "", hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint


class NotWritten(UsageError):
    """A file that the user names cannot be written; the exit code is that of the cause."""

    def __init__(self, problem: str, error: OSError, hint: str = "") -> None:
        code, advice = system_error(error.errno or 0)
        is_known = error.errno in _SYSTEM_ERRORS
        if error.errno in _WRITING_ERRORS:  # of a file that is read, they mean something else
            is_known, advice = True, _WRITING_ERRORS[error.errno]
        super().__init__(f"{problem}: {error.strerror}", hint or advice)
        if is_known:
            self.exit_code = code


class InvalidInput(LockstreamError):
    """A lock, a requirements file or another input breaks a rule of its format."""

    exit_code = ExitCode.INVALID_INPUT


class InvalidLockText(InvalidInput):
    """The text of a lock is at fault; the reader of the file sets ``path``."""

    path: str = ""

    def describe(self) -> str:
        """Return what is wrong, and on which line."""
        raise NotImplementedError

    def __str__(self) -> str:
        return f"{self.path}: {self.describe()}" if self.path else self.describe()


class NoSolution(LockstreamError):
    """No set of distributions satisfies the requirements."""

    exit_code = ExitCode.NO_SOLUTION


class NetworkError(LockstreamError):
    """An index or a file could not be reached, or answered outside its protocol."""

    exit_code = ExitCode.NETWORK


class ArtifactRefused(LockstreamError):
    """A downloaded file is not the locked one, or is hostile."""

    exit_code = ExitCode.ARTIFACT_REFUSED


class NotEnough(LockstreamError):
    """There is not enough memory or disk for the command."""

    exit_code = ExitCode.NOT_ENOUGH


class BuildFailed(LockstreamError):
    """Building a wheel from source failed."""

    exit_code = ExitCode.BUILD_FAILED


class NotPermitted(LockstreamError):
    """The system does not permit a change: permission, a read-only file system, another owner."""

    exit_code = ExitCode.NOT_PERMITTED


class Interrupted(KeyboardInterrupt):
    """A signal stops the program. It is not an error, so that nothing catches it as one."""

    def __init__(self, number: int, name: str) -> None:
        """``number`` and ``name`` are those of the signal."""
        super().__init__(number, name)
        self.name = name
        self.exit_status = 128 + number
        """The exit status that shells report for the signal."""
        self.left = ""
        """What remains for the next run, as a sentence."""

    def __str__(self) -> str:
        return "; ".join(filter(None, [f"stopped by {self.name}", self.left]))


def lock_hint(path: str, error: OSError) -> str:
    """Return what to do about a lock at ``path`` that the system does not read."""
    if isinstance(error, IsADirectoryError):
        return f"name the lock in it, such as {path.rstrip('/')}/pylock.toml"
    if isinstance(error, PermissionError):
        return system_error(errno.EACCES)[1]
    if error.errno == errno.ELOOP:
        return "its links lead in a circle: name the lock itself, or remove the link"
    if error.errno in {errno.EINVAL, errno.ENXIO}:  # a pipe, a device or a socket
        return "locks are regular files: remove it, or name another path"
    if path == "-":
        return "a lock is read from a file: name it"
    if isinstance(error, FileNotFoundError) and not set(path) & set("./"):
        return f"what stands here is the path of a lock, such as pylock.toml; is {path} a package?"
    from schemas.text import first_plan  # noqa: PLC0415  # which most errors need not

    return (
        f"{first_plan(path)} writes it, and so does uv export --format pylock.toml -o "
        "pylock.toml; if it is elsewhere, name it"
    )


def system_error(number: int) -> tuple[ExitCode, str]:
    """Return the exit code and the hint of a system error that reached the program unexplained.

    ``number`` is its ``errno``.
    """
    code, hint = _SYSTEM_ERRORS.get(number, (7, "look for its cause in the system"))
    return ExitCode(code), hint


_SYSTEM_ERRORS = {
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS),
        (9, "run as a user who may do this, or name another place"),
    ),
    **dict.fromkeys(
        (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
        (2, "name a path that exists and is of this kind"),
    ),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), (7, "free disk space, or name another place")),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), (7, "raise the limit of open files (ulimit -n)")),
    errno.ENOSYS: (9, "let the container's filter of system calls (seccomp) allow it"),
    errno.EEXIST: (2, "something else is in its place: name another path, or remove it"),
    errno.ENXIO: (2, "it is a pipe, a device or a socket: name a file"),
    errno.EAGAIN: (7, "raise the limit of processes (ulimit -u, or that of the container)"),
}
"""Exit code and hint of a system error that reached the program unexplained, by number."""


_WRITING_ERRORS = {
    errno.EFBIG: "raise the limit of file sizes (ulimit -f), or name another place",
    errno.ENXIO: "it is a pipe that nothing reads: start its reader first, or name a file",
}
"""Hints of system errors of a file that is written, by number."""
