"""The command ``report``: logs of runs as a page, as Markdown, or as a trace."""

from __future__ import annotations

import json
import os
from contextlib import suppress

import click

from executor import echo
from planner.cli.page_file import print_markdown, write_page
from planner.lock.reader import read_lock
from planner.runs.advice import advise, verdict
from planner.runs.reading import read_run
from planner.runs.required_by import required_by
from planner.runs.run import Run
from schemas.errors import InvalidInput, UsageError

__all__ = ["report"]


@click.command("report")
@click.argument("logs", metavar="LOG...", nargs=-1, required=True)
@click.option("--html", metavar="FILE", help="Write a page that opens offline.")
@click.option("--markdown", is_flag=True, help="Print Markdown for the summary of a job.")
@click.option("--trace", metavar="FILE", help="Write a trace for Perfetto.")
@click.option(
    "--lock",
    metavar="LOCK",
    help="The lock that says who requires a package. Default: the one of the run, if it is there.",
)
def report(
    logs: tuple[str, ...], html: str | None, markdown: bool, trace: str | None, lock: str | None
) -> None:
    """Show where the time and the memory of a run went, from the LOG that --log has written.

    Several logs are shown beside each other. Without an option it prints a few sentences.
    """
    if trace and len(logs) > 1:
        raise UsageError("--trace shows one log", hint="name one, or write a page with --html")
    runs = [read_run(path) for path in logs]
    inputs = [*logs, lock or _own_lock(runs[0])]
    if html and trace and os.path.abspath(html) == os.path.abspath(trace):
        raise UsageError("--html and --trace name one file", hint="name a file for each")
    if html:
        from planner.runs.render import render_runs  # noqa: PLC0415  # only a page needs it

        write_page("--html", html, render_runs(runs, _parents(runs[0], lock)), inputs)
    if trace:
        from planner.runs.trace import to_trace  # noqa: PLC0415  # only a trace needs it

        write_page("--trace", trace, json.dumps(to_trace(runs[0])) + "\n", inputs)
    if markdown:
        from planner.runs.markdown import to_markdown  # noqa: PLC0415  # only this needs it

        print_markdown(to_markdown(runs))
    elif not (html or trace):
        for run in runs:
            echo(verdict(run))
            for sentence in advise(run):
                echo(f"  {sentence}")


def _parents(run: Run, lock: str | None) -> dict[str, list[str]]:
    if lock is not None:
        return required_by(read_lock(lock))
    path = _own_lock(run)
    # It may have been changed or removed since; the log is still right.
    with suppress(InvalidInput):
        if os.path.isfile(path):
            return required_by(read_lock(path))
    return {}


def _own_lock(run: Run) -> str:
    """Return the path of the lock of a run, which may be gone."""
    return str(run.about.get("lock", ""))
