"""Each kind of error has an exit code and a text."""

from __future__ import annotations

import errno
import pickle
from dataclasses import dataclass, fields

import pytest

from schemas import errors
from schemas.errors import (
    ArtifactRefused,
    ExitCode,
    InvalidInput,
    LockstreamError,
    NotWritten,
    SubjectProblem,
    UsageError,
    lock_hint,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        pytest.param(errors.Refused, 1, id="refused"),
        pytest.param(errors.UsageError, 2, id="usage"),
        pytest.param(errors.InvalidInput, 3, id="invalid input"),
        pytest.param(errors.NoSolution, 4, id="no solution"),
        pytest.param(errors.NetworkError, 5, id="network"),
        pytest.param(errors.ArtifactRefused, 6, id="artifact refused"),
        pytest.param(errors.NotEnough, 7, id="not enough"),
        pytest.param(errors.BuildFailed, 8, id="build failed"),
        pytest.param(errors.NotPermitted, 9, id="not permitted"),
    ],
)
def test_the_kind_of_an_error_decides_the_exit_status(
    kind: type[LockstreamError], status: int
) -> None:
    assert kind.exit_code == status


def test_each_exit_status_but_success_has_one_kind_of_error() -> None:
    kinds = LockstreamError.__subclasses__()
    assert sorted(kind.exit_code for kind in kinds) == sorted(set(ExitCode) - {ExitCode.DONE})


def test_an_error_without_advice_has_an_empty_hint() -> None:
    assert InvalidInput().hint == ""


def test_a_usage_error_reads_as_its_problem() -> None:
    error = UsageError("--venv and --target exclude each other", hint="choose one")
    assert str(error) == "--venv and --target exclude each other"
    assert error.hint == "choose one"
    assert error.exit_code is ExitCode.USAGE


def test_text_is_rendered_when_it_is_asked_for() -> None:
    @dataclass(eq=False)
    class TooDeep(InvalidInput):
        depth: int

        def __str__(self) -> str:
            return f"{self.depth} levels deep"

    error = TooDeep(3)
    error.depth = 4
    assert str(error) == "4 levels deep"
    assert error.exit_code is ExitCode.INVALID_INPUT


@dataclass(eq=False)
class Damaged(SubjectProblem, ArtifactRefused):
    archive: str
    problem: str
    hint: str = "fetch it again"


def test_an_error_says_what_is_wrong_with_what() -> None:
    error = Damaged("demo.zip", "it ends too early")
    assert str(error) == "demo.zip: it ends too early"
    assert error.exit_code is ExitCode.ARTIFACT_REFUSED
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert not {field.name for field in fields(Damaged)} - {"archive", "problem", "hint"}


def test_the_name_of_a_package_in_the_place_of_a_lock_is_taken_for_one() -> None:
    missing = FileNotFoundError(2, "No such file or directory")
    assert lock_hint("-", missing) == "a lock is read from a file: name it"
    assert lock_hint("requests", missing).endswith("is requests a package?")
    assert lock_hint("pylock.toml", missing).startswith("lockstream plan writes it")
    assert lock_hint("locks/ours", missing).startswith("lockstream plan locks")


def test_a_lock_behind_links_that_lead_in_a_circle_is_not_to_be_planned() -> None:
    assert "remove the link" in lock_hint("pylock.toml", OSError(errno.ELOOP, "links"))


@pytest.mark.parametrize(
    ("number", "code", "hint"),
    [
        (errno.ENOSPC, ExitCode.NOT_ENOUGH, "free disk space"),
        (errno.EFBIG, ExitCode.NOT_ENOUGH, "ulimit -f"),
        (errno.ENXIO, ExitCode.USAGE, "a pipe that nothing reads"),
        (errno.EIO, ExitCode.USAGE, "look for its cause"),
    ],
)
def test_a_file_that_cannot_be_written_has_the_code_of_the_cause(
    number: int, code: ExitCode, hint: str
) -> None:
    error = NotWritten("out cannot be written", OSError(number, "why"))
    assert error.exit_code is code
    assert hint in error.hint
