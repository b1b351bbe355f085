"""The command ``bundle``."""

from __future__ import annotations

import sys

import click

from executor.cli.console import WarningReporter, print_result
from executor.cli.execute_options import OriginOptions, origin_options, target_name_options
from executor.cli.fetch import arrived
from executor.cli.option_group import SectionedCommand, json_option, lock_argument, section
from executor.cli.output_file import check_output_file
from executor.lanes.signals import stoppable
from executor.lock.options import TargetNames
from schemas.errors import UsageError

__all__ = ["bundle"]


@click.command(cls=SectionedCommand)
@lock_argument
@section(
    "Output",
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        default="wheels.tar",
        show_default=True,
        help="The archive; - is standard output.",
    ),
)
@target_name_options
@origin_options
@json_option
def bundle(
    lock: str, *, output: str, names: TargetNames, origins: OriginOptions, as_json: bool
) -> None:
    """Put LOCK (default: pylock.toml) and its files into one archive, for a machine without a
    network, or as what a CI job caches.

    They are those of all targets of the lock, with all extras and groups, each verified. The same
    files give the same bytes. The other machine takes the lock out of it, tar -xf FILE pylock.toml,
    and runs: lockstream execute --offline --bundle FILE
    """
    from executor.install import bundle as walk  # noqa: PLC0415  # it loads what others do not need

    is_stream = output == "-"
    if is_stream and as_json:
        raise UsageError(
            "--json and -o - both write to standard output", hint="leave out one of them"
        )
    if is_stream and sys.stdout.isatty():
        raise UsageError(
            "-o - would write an archive to the terminal",
            hint="name a file, or pipe it to a program",
        )
    if not is_stream:
        check_output_file("--output", output, [lock], makes_folders=True)
    with stoppable():
        done = walk.bundle(
            lock,
            None if is_stream else output,
            names=names,
            origins=origins.origins(lock),
            arrived=arrived,
            warn=WarningReporter().warned,
        )
    if not is_stream:
        print_result(done.to_json() if as_json else None, [f"{output}: {done.summary()}"])
