"""The option ``--log`` of the commands of both phases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from executor.cli.output import echo
from executor.report.recorder import STANDARD_OUTPUT, Recorder
from schemas.errors import UsageError

__all__ = ["log_option", "logged"]


log_option = click.option(
    "--log",
    metavar="FILE",
    help="Write each event as a line of JSON while it runs; - is standard output. lockstream "
    "report shows it as a page.",
)


class _Reporting(Protocol):
    recorder: Recorder


@contextmanager
def logged(reporter: _Reporting, path: str | None, *, results: str | None = None) -> Iterator[None]:
    """Let ``reporter`` write its log to ``path`` in the body; None for no log.

    ``results`` names what else goes to standard output. Raises UsageError.
    """
    if path is None:
        yield
        return
    if path == STANDARD_OUTPUT and results:
        raise UsageError(
            f"both the log and {results} would go to standard output",
            hint="name a file with --log FILE",
        )
    recorder = reporter.recorder = Recorder.opened(path)
    try:
        yield
    finally:
        if failure := recorder.failure():
            echo(f"warning: --log {path}: {failure}", err=True)
        recorder.close()
