"""The command ``key``."""

from __future__ import annotations

import click

from executor.cli.console import WarningReporter
from executor.cli.execute_options import collision_option
from executor.cli.option_group import SectionedCommand, lock_argument
from executor.cli.options import (
    EnvironmentOptions,
    environment_options,
    relocatable_option,
    selection_options,
)
from executor.cli.output import echo, is_verbose
from executor.lock.options import SelectOptions

__all__ = ["key"]


@click.command(cls=SectionedCommand)
@lock_argument
@environment_options
@relocatable_option
@selection_options
@collision_option
@click.option("--compile", "compile_files", is_flag=True, help="Compile modules to byte code.")
def key(
    lock: str,
    *,
    where: EnvironmentOptions,
    relocatable: bool,
    select: SelectOptions,
    on_collision: str,
    compile_files: bool,
) -> None:
    """Print a key for a cache of what execute would install of LOCK (default: pylock.toml).

    It changes if and only if the selected wheels, the options that change the tree, the Python or
    the place of the environment change: not with packages of the lock that are not installed here.
    With -v, what it is made of goes to standard error.
    """
    from executor.install.installation_key import installation_key  # noqa: PLC0415

    found = installation_key(
        lock,
        where.open(relocatable=relocatable),
        select=select,
        last_wins=on_collision == "last",
        compile_files=compile_files,
        warn=WarningReporter().warned,
    )
    if is_verbose():
        for line in found.lines():
            echo(line, err=True)
    echo(found.digest)
