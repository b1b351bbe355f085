"""The command ``outdated``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import click
from packaging.version import Version

from executor import echo, echo_json, is_quiet, json_option, lock_argument
from planner.api import find_outdated
from planner.cli.bare_plan import request_of_variables
from planner.cli.console import ConsoleReporter
from planner.cli.plan_options import access_options
from planner.cli.table import print_table
from planner.index.access import Access
from planner.review.standing import Outlook, Standing
from schemas.errors import UsageError
from schemas.text import counted, enumerate_some, first_plan, lock_command

__all__ = ["outdated"]


@click.command("outdated")
@lock_argument
@click.option("--direct", is_flag=True, help="Only packages that the inputs require themselves.")
@click.option(
    "--exit-code", "fails", is_flag=True, help="Exit with status 1 if an upgrade changes a version."
)
@access_options
@json_option
def outdated(lock: str, direct: bool, fails: bool, access: Access, as_json: bool) -> None:
    """Show which packages of LOCK (default: pylock.toml) have newer versions.

    For each: the version that plan --upgrade would choose from the inputs, settings and options
    that the lock records, the newest that its index has, and why the upgrade does not choose that.
    Nothing is written. Variables that are set for plan count. Of a lock that does not record its
    inputs, only the newest versions are shown.
    """
    request, _ = request_of_variables()
    reporter = ConsoleReporter(quiet=is_quiet(), as_json=as_json)
    outlook = find_outdated(lock, replace(request, access=access), reporter)
    if direct and not outlook.is_resolved:
        raise UsageError(
            f"{lock} does not record its inputs, so it is not known what they require",
            hint=f"leave --direct out, or write the lock again: {first_plan(lock)}, also with -r "
            "FILE, keeps its versions and records its inputs",
        )
    chosen = [one for one in outlook.standings if one.is_required_by_inputs or not direct]
    shown = [one for one in chosen if one.is_outdated or one.changes or one.remarks]
    if as_json:
        _print_json(lock, outlook, shown)
    else:
        _print(lock, outlook, chosen, shown)
    if fails and any(one.changes if outlook.is_resolved else one.is_outdated for one in chosen):
        click.get_current_context().exit(1)


def _print(
    lock: str, outlook: Outlook, chosen: Sequence[Standing], shown: Sequence[Standing]
) -> None:
    if shown:
        header = ["package", "locked", "newest", ""]
        rows = [[one.name, _join(one.locked), _newest(one), _why(one)] for one in shown]
        if outlook.is_resolved:
            header.insert(2, "upgrade")
            for row, one in zip(rows, shown, strict=True):
                row.insert(2, _join(one.upgrade or ()))
        print_table([header, *rows], texts=1)
    if is_quiet():
        return
    if shown:
        echo()
    for line in _sums(lock, outlook, chosen):
        echo(line)
    for sentence in outlook.uncompared:
        echo(f"not compared: {sentence}", err=True)
    if not outlook.is_resolved:
        echo(
            f"{lock} does not record its inputs, so it is not known what an upgrade would choose "
            f"({first_plan(lock)}, also with -r FILE, records them and keeps the versions)",
            err=True,
        )


def _newest(standing: Standing) -> str:
    return str(standing.newest) if standing.newest else "-"


def _join(versions: Iterable[Version]) -> str:
    return ", ".join(map(str, versions)) or "-"


def _why(standing: Standing) -> str:
    """Return why the newest version is not chosen, and what else should be known."""
    reasons = (
        reason if version == standing.newest else f"{version}: {reason}"
        for version, reason in standing.hindrances
    )
    return "; ".join((*reasons, *standing.remarks))


def _sums(lock: str, outlook: Outlook, chosen: Sequence[Standing]) -> Iterator[str]:
    """Yield what the table comes down to."""
    newer = sum(one.is_outdated for one in chosen)
    total = counted(len(chosen), "package")
    if newer:
        have = "has" if len(chosen) == 1 else "have"
        yield f"{newer} of {total} {have} newer versions"
    else:
        yield f"{total}, none has a newer version"
    changed = sum(one.changes for one in chosen)
    if changed:
        added = [f"{name} {_join(versions)}" for name, versions in outlook.added.items()]
        end = f", and adds {enumerate_some(added)}" if added else ""
        yield f"{lock_command('plan', lock)} --upgrade changes {counted(changed, 'package')}{end}"
    elif newer and outlook.is_resolved:
        yield "an upgrade changes nothing"


def _print_json(lock: str, outlook: Outlook, shown: Iterable[Standing]) -> None:
    echo_json(
        {
            "lock": lock,
            "resolved": outlook.is_resolved,
            "packages": [_to_json(one) for one in shown],
            "added": [
                {"name": name, "versions": [*map(str, versions)]}
                for name, versions in outlook.added.items()
            ],
            "uncompared": outlook.uncompared,
        }
    )


def _to_json(standing: Standing) -> dict[str, Any]:
    upgrade = standing.upgrade
    return {
        "name": standing.name,
        "locked": [*map(str, standing.locked)],
        "upgrade": None if upgrade is None else [*map(str, upgrade)],
        "newest": str(standing.newest) if standing.newest else None,
        "outdated": standing.is_outdated,
        "direct": standing.is_required_by_inputs,
        "hindrances": [
            {"version": str(version), "reason": reason} for version, reason in standing.hindrances
        ],
        "remarks": standing.remarks,
    }
