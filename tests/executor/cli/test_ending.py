"""Every end of a command is one text for the user, and an exit code."""

from __future__ import annotations

import errno
import io

import click
import pytest

from executor.cli.ending import DEFECT, INTERRUPTED, OUTPUT_CLOSED, tell, tell_why
from schemas.errors import UsageError

NO_SPACE = OSError(errno.ENOSPC, "of the system", "/a")


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (
            UsageError("it is wrong", hint="do it right"),
            2,
            "error: it is wrong\nhint: do it right\n",
        ),
        (BrokenPipeError(), OUTPUT_CLOSED, ""),
        (KeyboardInterrupt(), INTERRUPTED, "interrupted\n"),
        (click.Abort(), INTERRUPTED, "interrupted\n"),
        (
            click.UsageError("It is wrong."),
            2,
            "error: it is wrong\nhint: lockstream COMMAND --help says what it takes\n",
        ),
    ],
)
def test_an_error_becomes_a_text_and_a_status(
    error: BaseException, status: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (tell_why(error), capsys.readouterr().err) == (status, text)


@pytest.mark.parametrize("kind", [UsageError, click.UsageError])
def test_an_error_does_not_print_a_name_without_end(
    kind: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    tell_why(kind(f"{'a' * 4000}{'x' * 100_000}: is not normalized"))
    shown = capsys.readouterr().err
    assert "a" * 4000 in shown
    assert "x: is not normalized" in shown
    assert len(shown) < 9000


def test_an_error_of_the_system_names_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell_why(NO_SPACE) == 7
    assert capsys.readouterr().err.startswith("error: /a: No space left on device\nhint: ")


def test_a_name_that_the_locale_cannot_write_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wheel has it, and PYTHONUTF8=0 or an old locale is set."""
    text = "one\ndemo/ü.py\ntwo\n"
    error = UnicodeEncodeError("ascii", text, 9, 10, "ordinal not in range(128)")
    assert tell_why(error) == DEFECT
    capsys.readouterr()
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "ascii")
    assert tell_why(error) == 2
    assert capsys.readouterr().err == (
        "error: 'demo/ü.py' cannot be the name of a file: the encoding of this locale, ascii, "
        "lacks characters of it\n"
        "hint: set PYTHONUTF8=1, or a locale of UTF-8 such as LC_ALL=C.UTF-8\n"
    )


def test_an_error_that_nobody_foresaw_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell_why(ZeroDivisionError("a defect")) == DEFECT
    assert capsys.readouterr().err.endswith("ZeroDivisionError: a defect\n")


def test_a_full_standard_error_is_no_further_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        monkeypatch.setattr("sys.stderr", io.TextIOWrapper(full, write_through=True))
        tell("lost")
