"""The end of a command that failed: the one place where errors become text and exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from schemas.errors import ExitCode, Interrupted, LockstreamError, system_error
from schemas.text import printable

__all__ = ["DEFECT", "INTERRUPTED", "OUTPUT_CLOSED", "tell", "tell_why"]


DEFECT = 70
"""For an unforeseen error (EX_SOFTWARE of sysexits.h); Python's own, 1, would read as an answer."""
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""
OUTPUT_CLOSED = 141
"""128 + SIGPIPE, which itself stays ignored: a closed connection would end the program."""


_LONGEST = 8192
"""Characters of a line of an error: two paths of Linux. Locks and servers write parts of most."""


def tell(text: str) -> None:
    """Print to standard error; if that is closed or full, the exit status has to do."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True, nl=False)


def tell_why(error: BaseException) -> int:
    """Print ``error`` for the user, and return the exit status."""
    if isinstance(error, BrokenPipeError):
        return OUTPUT_CLOSED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        tell(f"{error.ctx.get_help()}\n")
        return ExitCode.USAGE
    if isinstance(error, click.ClickException):
        from executor.cli.mistakes import mistake  # noqa: PLC0415  # only a mistake needs it

        return tell_why(mistake(error))
    if isinstance(error, LockstreamError):
        hint = "; ".join(filter(None, [error.hint, error.left]))
        tell(_bounded(f"error: {error}") + "\n")
        if hint:
            tell(printable(f"hint: {hint}") + "\n")
        return error.exit_code
    if isinstance(error, Interrupted):
        tell(f"{error}\n")
        return error.exit_status
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        tell("interrupted\n")
        return INTERRUPTED
    if isinstance(error, OSError) and error.errno:
        code, hint = system_error(error.errno)
        subject = os.fsdecode(error.filename) if error.filename else "the system"
        tell(f"error: {printable(subject)}: {os.strerror(error.errno)}\nhint: {hint}\n")
        return code
    if isinstance(error, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
        tell(
            f"error: {printable(_line_of(error))!r} cannot be the name of a file: the encoding of "
            f"this locale, {sys.getfilesystemencoding()}, lacks characters of it\n"
            "hint: set PYTHONUTF8=1, or a locale of UTF-8 such as LC_ALL=C.UTF-8\n"
        )
        return ExitCode.USAGE
    import traceback  # noqa: PLC0415  # only a defect needs it

    tell(printable("".join(traceback.format_exception(error)).rstrip()) + "\n")
    return DEFECT


def _bounded(text: str) -> str:
    """Return the text of an error as it is printed; of a longer line its two ends."""
    half = _LONGEST // 2
    return "\n".join(
        line if len(line) <= _LONGEST else f"{line[:half]} ... {line[-half:]}"
        for line in printable(text).split("\n")
    )


def _line_of(error: UnicodeEncodeError) -> str:
    """Return the line that could not be encoded: the text may be a whole document."""
    before, after = error.object[: error.start], error.object[error.start :]
    return before.rpartition("\n")[2] + after.partition("\n")[0]
