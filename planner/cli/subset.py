"""The command ``subset``: a smaller lock out of a larger one."""

from __future__ import annotations

import os
from typing import Any

import click

from executor import (
    SectionedCommand,
    echo,
    echo_document,
    echo_json,
    is_quiet,
    json_option,
    lock_argument,
    option_group,
    scope_options,
    section,
    target_options,
)
from planner.api import subset_lock
from planner.cli.console import check_results
from planner.cli.lock_options import warn_of_newer
from planner.review.subset_choice import SubsetChoice
from schemas.errors import UsageError
from schemas.text import counted

__all__ = ["subset"]


def _choice(*, extra: Any, group: Any, projects: Any, **given: Any) -> SubsetChoice:
    folders = tuple(map(os.path.normpath, projects))
    return SubsetChoice(extras=extra, groups=group, projects=folders, **given)


choice_options = option_group(
    "choice",
    "Packages",
    _choice,
    scope_options,
    click.option(
        "--package", "packages", multiple=True, metavar="NAME",
        help="Keep this package, NAME or NAME[EXTRA], and what it requires. Repeatable.",
    ),
    click.option(
        "--without", multiple=True, metavar="NAME",
        help="Leave out this package and what it requires: another layer has them. Repeatable.",
    ),
    click.option(
        "--project", "projects", multiple=True, metavar="FOLDER",
        help="Keep what the project in this folder requires. Repeatable.",
    ),
    target_options,
)  # fmt: skip


@click.command("subset", cls=SectionedCommand)
@lock_argument
@section(
    "Output",
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        help="Where to write it: pylock.NAME.toml; - is standard output. Required.",
    ),
)
@choice_options
@json_option
def subset(lock: str, *, output: str | None, choice: SubsetChoice, as_json: bool) -> None:
    """Write what a selection of LOCK (default: pylock.toml) installs, as a lock of its own.

    Executing it does what executing LOCK with these extras and groups does. It has no extras and
    groups left to select, so any installer of pylock.toml takes it as it is. It changes only if
    what it selects changes; lockstream check compares the two.
    """
    if output is None:
        raise UsageError(
            "--output is missing",
            hint="name the file of the subset, such as -o pylock.NAME.toml; - is standard output",
        )
    check_results(output, as_json=as_json)
    written = subset_lock(lock, output, choice)
    warn_of_newer(written.of, lock)
    count, of = len(written.lock.packages), len(written.of.packages)
    if output == "-":
        echo_document(written.text)
    if as_json:
        summary = {"lock": output, "of": lock, "changed": written.is_changed}
        echo_json({**summary, "packages": count, "left-out": of - count}, indent=None)
    elif not is_quiet():
        kept = f"{count} of {counted(of, 'package')}"
        state = "" if written.is_changed else ", as before"
        echo(f"{output}: {kept}{state}", err=True)
