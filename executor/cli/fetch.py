"""The command ``fetch``."""

from __future__ import annotations

import click

from executor.cli.console import WarningReporter, print_result
from executor.cli.execute_options import OriginOptions, origin_options, target_name_options
from executor.cli.option_group import SectionedCommand, json_option, lock_argument, section
from executor.cli.output import echo, is_quiet, is_verbose
from executor.cli.output_file import refuse_address
from executor.lanes.signals import stoppable
from executor.lock.options import TargetNames
from executor.lock.step import Step

__all__ = ["arrived", "fetch"]


@click.command(cls=SectionedCommand)
@lock_argument
@section(
    "Folder",
    click.option(
        "--into",
        metavar="DIR",
        default="wheels",
        show_default=True,
        help="The folder for the files.",
    ),
    click.option(
        "--prune",
        is_flag=True,
        help="Remove wheels and source distributions from the folder that the lock does not need.",
    ),
)
@target_name_options
@origin_options
@json_option
def fetch(
    lock: str,
    *,
    into: str,
    names: TargetNames,
    prune: bool,
    origins: OriginOptions,
    as_json: bool,
) -> None:
    """Put the files of LOCK (default: pylock.toml) into a folder, for a machine without a network.

    They are those of all targets of the lock, with all extras and groups. Each is verified, and
    what is there stays. The other machine runs: lockstream execute --offline --find-links DIR
    """
    from executor.install import fetch as walk  # noqa: PLC0415  # it loads what others do not need

    refuse_address("--into", into, "name a folder; lockstream bundle -o - writes to a pipe")
    with stoppable():
        done = walk.fetch(
            lock,
            into,
            names=names,
            origins=origins.origins(lock),
            prune=prune,
            arrived=arrived,
            warn=WarningReporter().warned,
        )
    if is_verbose():
        for target in done.files.targets:
            echo(f"for {target}", err=True)
    print_result(done.to_json() if as_json else None, [f"{into}: {done.summary()}"])


def arrived(number: int, count: int, step: Step) -> None:
    """Print that a file is there: its number (from 1), of how many."""
    if not is_quiet():
        echo(f"[{number}/{count}] {step.filename}", err=True)
