"""The option ``--log`` of the commands of both phases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import click

from executor.cli.output import echo
from executor.report.recorder import STANDARD_OUTPUT, Recorder
from schemas.errors import UsageError

__all__ = ["log_option", "logged", "logged_run"]


C = TypeVar("C", bound=Callable[..., object])


def log_option(command: C) -> C:
    """Add the option ``--log`` to a command."""
    return click.option(
        "--log",
        metavar="FILE",
        help="Write each event as a line of JSON while it runs; - is standard output. lockstream "
        "report shows it as a page.",
    )(command)


class _Reporting(Protocol):
    recorder: Recorder


@contextmanager
def logged(
    reporter: _Reporting,
    path: str | None,
    *,
    results: str | None = None,
    report: str | None = None,
) -> Iterator[None]:
    """Let ``reporter`` write its log to ``path`` in the body; None for no log.

    ``results`` names what else goes to standard output, ``report`` is the path of another file that
    is written. Raises UsageError.
    """
    if path is None:
        yield
        return
    if report and os.path.abspath(path) == os.path.abspath(report):
        raise UsageError("--log and --report name one file", hint="name a file of its own for each")
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


@contextmanager
def logged_run(
    reporter: _Reporting, path: str | None, command: str, *, results: str | None = None
) -> Iterator[None]:
    """Do what ``logged`` does, and write the beginning of a run, samples, and its end."""
    if path is None:
        yield
        return
    from executor.report.whole_run import run_recorded  # noqa: PLC0415  # only a log needs it

    with logged(reporter, path, results=results), run_recorded(reporter.recorder, command):
        yield
