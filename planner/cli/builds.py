"""The command ``builds``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from executor import echo, echo_json, is_quiet, json_option, lock_argument, target_options
from planner.builds.unit import BuildUnit, target_label, units_of
from planner.cli.lock_options import open_lock
from planner.cli.table import print_table
from planner.engines.engine_order import ONLY_LINUX, EngineOrder
from planner.engines.forms import FORMS
from planner.review.recorded import targets_of
from schemas.errors import UsageError
from schemas.lock import recorded_targets
from schemas.sizes import format_size

__all__ = ["builds"]


@click.command("builds")
@lock_argument
@target_options
@click.option(
    "--as",
    "form",
    type=click.Choice(sorted(FORMS)),
    help="Write the builds as work for this engine.",
)
@click.option(
    "--into",
    "store",
    metavar="DIR|URL",
    help="The folder that the engine's machines share, in which they leave the wheels (with --as), "
    "or an address at which a server stores files (HTTP PUT). Default: built.",
)
@click.option(
    "--least",
    metavar="SIZE",
    help="Request at least this much memory for each build (with --as).",
)
@click.option(
    "--part",
    metavar="K/N",
    help="Write only the builds of part K of N (with --as), if the engine takes no more at once.",
)
@json_option
def builds(
    lock: str,
    python_versions: tuple[str, ...],
    platforms: tuple[str, ...],
    form: str | None,
    store: str | None,
    least: str | None,
    part: str | None,
    as_json: bool,
) -> None:
    """List the builds that LOCK (default: pylock.toml) leaves to other machines.

    There is one for each wheel that it lacks. Each has a request of memory: what was measured with
    a margin, or the first of a few classes if nothing was. lockstream build does one of them.
    """
    if not form and (store, least, part) != (None, None, None):
        raise UsageError("--into, --least and --part are for --as", hint="name an engine with --as")
    if form and as_json:
        raise UsageError("--as and --json are two forms of output", hint="name one")
    content = open_lock(lock)
    targets = targets_of(content, python_versions, platforms)
    units = units_of(content, tuple(targets))
    if form:
        order = EngineOrder(
            lock=lock,
            content=content,
            store=store or "built",
            names_targets=bool(python_versions or platforms or not recorded_targets(content)),
            least=least,
            part=part,
        )
        work = order.work(units)
        for unit in order.left_out(units):
            label = target_label(unit.target)
            echo(f"warning: left out {unit.requirement} for {label}: {ONLY_LINUX}", err=True)
        if not work.units and not is_quiet():
            echo("nothing has to be built there", err=True)
        lines = FORMS[form](work).splitlines()
        if work.units and not lines:  # as fromager's settings, which are of what was measured
            echo(f"none of these builds was measured, so there is nothing for {form}", err=True)
        for line in lines:
            echo(line)
    elif as_json:
        echo_json([unit.to_json() for unit in units])
    else:
        _print(units)


def _print(units: Sequence[BuildUnit]) -> None:
    if not units:
        echo("nothing has to be built: the lock has a wheel of each package for each target")
        return
    header = ("build", "request", "limit", "seconds", "target")
    rows = [
        (
            unit.requirement,
            format_size(unit.request) + ("" if unit.record else " (not measured)"),
            format_size(unit.limit),
            f"{unit.record.seconds:.1f}" if unit.record else "?",
            target_label(unit.target),
        )
        for unit in units
    ]
    print_table([header, *rows])
