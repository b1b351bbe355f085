"""The command ``verify``."""

from __future__ import annotations

from dataclasses import replace

import click

from executor.cli.console import WarningReporter, print_result
from executor.cli.option_group import SectionedCommand, json_option, lock_argument, section
from executor.cli.options import EnvironmentOptions, environment_options, selection_options
from executor.lock.options import SelectOptions
from schemas.errors import ExitCode
from schemas.text import counted

__all__ = ["verify"]


@click.command(cls=SectionedCommand)
@lock_argument
@environment_options
@selection_options
@section(
    "Selection",
    click.option(
        "--project",
        "projects",
        multiple=True,
        metavar="DIR",
        help="Include the project in this folder, as execute --project does. Repeatable.",
    ),
)
@json_option
def verify(
    lock: str,
    *,
    where: EnvironmentOptions,
    select: SelectOptions,
    projects: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check file by file that an environment matches LOCK (default: pylock.toml).

    The exit code is 1 if anything is missing, changed or extra.
    """
    from executor.install.decide import verify_environment  # noqa: PLC0415

    if projects:
        from executor.lock.local_project import LocalProject  # noqa: PLC0415

        found = tuple(LocalProject(folder=one) for one in projects)
        select = replace(select, projects=found)
    packages, differences = verify_environment(
        lock, where.open(to_read=True), select=select, warn=WarningReporter().warned
    )
    drifts = list(differences)
    summary = f"{counted(packages, 'package')} verified, {counted(len(drifts), 'difference')}"
    print_result(
        [drift.to_json() for drift in drifts] if as_json else None, [*map(str, drifts), summary]
    )
    if drifts:
        raise click.exceptions.Exit(ExitCode.REFUSED)
