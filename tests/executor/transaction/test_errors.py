"""Errors of a transaction: what happened, what the environment is, what to do."""

from __future__ import annotations

import errno

import pytest

from executor.transaction.errors import (
    FileConflict,
    JournalRefused,
    NoFolder,
    NotChangeable,
    OutOfMemory,
    StagingRefused,
    WriteDenied,
    WriteFailed,
    translated_os_error,
)
from schemas.errors import ExitCode, LockstreamError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            FileConflict("/p", "a.whl", "b 1"),
            "/p: belongs to b 1 and, with other contents, to a.whl",
        ),
        (NotChangeable("/p", "is immutable", "do x"), "/p: is immutable"),
        (
            StagingRefused("/p", "it is a link or a file"),
            "/p: it is a link or a file, so it is not used to stage wheels",
        ),
        (
            JournalRefused("/p/journal", "it is not a file"),
            "/p/journal: is not a journal of this environment: it is not a file",
        ),
        (OutOfMemory(), "there is no memory left"),
        (WriteFailed("/p", OSError(errno.EIO, "")), "/p: Input/output error"),
        (WriteDenied("/p", OSError(errno.EACCES, "")), "/p: Permission denied"),
        (NoFolder("/p", OSError(errno.ELOOP, "")), "/p: Too many levels of symbolic links"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_says_what_is_wrong_and_has_a_hint(error: LockstreamError, text: str) -> None:
    assert str(error) == text
    assert error.hint


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (errno.ENOSPC, ExitCode.NOT_ENOUGH),
        (errno.EIO, ExitCode.NOT_ENOUGH),
        (errno.EBUSY, ExitCode.NOT_ENOUGH),
        (errno.EACCES, ExitCode.NOT_PERMITTED),
        (errno.EPERM, ExitCode.NOT_PERMITTED),
        (errno.EROFS, ExitCode.NOT_PERMITTED),
        (errno.ENOTDIR, ExitCode.ARTIFACT_REFUSED),
        (errno.EEXIST, ExitCode.ARTIFACT_REFUSED),
        (errno.ELOOP, ExitCode.ARTIFACT_REFUSED),
    ],
    ids=lambda value: errno.errorcode.get(value, "") if isinstance(value, int) else "",
)
def test_what_is_not_permitted_is_told_from_what_failed(code: int, status: ExitCode) -> None:
    assert translated_os_error(OSError(code, "", "/p"), "/env").exit_code is status


@pytest.mark.parametrize(
    ("reached", "end"),
    [
        ("nothing", "the environment is as it was before; free disk space or inodes, then run the"),
        ("commit", "free disk space or inodes, then run the command again: it finishes what was"),
        ("end", "the environment is what the lock says; free disk space or inodes"),
    ],
)
def test_the_hint_says_what_the_environment_is(reached: str, end: str) -> None:
    error = translated_os_error(OSError(errno.ENOSPC, "", "/p"), "/env", reached)  # type: ignore[arg-type]
    assert error.hint.startswith(end)


@pytest.mark.parametrize(("name", "expected"), [("/p/x", "/p/x"), ("x", "/env"), (None, "/env")])
def test_the_path_is_that_of_the_error_if_it_is_absolute(name: str | None, expected: str) -> None:
    assert str(translated_os_error(OSError(errno.EIO, "", name), "/env")).startswith(
        f"{expected}: "
    )


def test_a_limit_of_file_sizes_is_named() -> None:
    assert "ulimit -f" in (translated_os_error(OSError(errno.EFBIG, "", "/p"), "/env").hint or "")


def test_another_environment_is_named_only_while_this_one_is_as_it_was() -> None:
    denied = OSError(errno.EACCES, "")
    assert "--venv DIR" in WriteDenied("/p", denied).hint
    assert "--venv" not in WriteDenied("/p", denied, "commit").hint
    assert "--venv" not in WriteDenied("/p", OSError(errno.EROFS, "")).hint
