"""The command ``audit``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from executor import (
    SectionedCommand,
    SelectOptions,
    echo,
    echo_json,
    is_quiet,
    json_option,
    lock_argument,
    option_group,
    select_options,
    target_options,
)
from planner.advisories.audit import Audit, AuditRequest, Finding
from planner.advisories.ignores import Ignore
from planner.api import audit_lock
from planner.cli.table import print_table
from schemas.data_class import frozen
from schemas.text import counted, enumerate_some, one_line

__all__ = ["audit"]


SHOWN_IDS, SHOWN_SUMMARY = 300, 100
"""Characters of ids and of a summary in the table; JSON has all of them."""


@frozen(kw_only=True)
class _Source:
    """Where to look, and what of that does not count."""

    service: str | None
    database: str | None
    offline: bool
    keyring: bool
    ignore: tuple[str, ...]


source_options = option_group(
    "source",
    "Advisories",
    _Source,
    click.option(
        "--service",
        metavar="URL",
        help="A service with OSV's API, which gets the names and versions. Default: that of OSV.",
    ),
    click.option(
        "--database",
        metavar="FILE|DIR",
        help="Look here and send nothing: OSV's export of PyPI, all.zip, or the folder that it was "
        "unpacked into.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="ID[=DATE|=fixed]",
        help="Do not count this advisory and its aliases; with =DATE only until that day, with "
        "=fixed until a fixed version is known. Repeatable.",
    ),
    click.option("--keyring", is_flag=True, help="Get credentials from the keyring program."),
    click.option(
        "--offline", is_flag=True, help="Make no network requests; it requires --database."
    ),
)


@click.command("audit", cls=SectionedCommand)
@lock_argument
@source_options
@select_options
@target_options
@json_option
def audit(
    lock: str,
    *,
    source: _Source,
    select: SelectOptions,
    python_versions: tuple[str, ...],
    platforms: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check LOCK (default: pylock.toml) for releases with known vulnerabilities.

    Exits with status 1 if there are any. By default all that the lock lists counts, with all extras
    and groups, on all targets.
    """
    request = AuditRequest(
        select=None if select == SelectOptions() else select,
        python_versions=python_versions,
        platforms=platforms,
        service=source.service,
        database=source.database,
        offline=source.offline,
        keyring=source.keyring,
        ignores=tuple(map(Ignore.parse, source.ignore)),
    )
    found = audit_lock(lock, request)
    if as_json:
        _print_json(lock, found)
    else:
        _print(found)
    for remark in found.remarks:
        echo(f"warning: {remark}", err=True)
    if found.findings:
        click.get_current_context().exit(1)


def _print(found: Audit) -> None:
    if found.findings:
        header = ("package", "version", "fixed in", "advisories", "")
        print_table([header, *map(_row, found.findings)], texts=3)
    if is_quiet():
        return
    if found.findings:
        echo()
    for line in _sums(found):
        echo(line)
    for sentence in found.unaudited:
        echo(f"not audited: {sentence}", err=True)


def _row(finding: Finding) -> tuple[str, ...]:
    return (
        finding.name,
        str(finding.version),
        _fix(finding),
        one_line(", ".join(finding.ids), SHOWN_IDS),
        one_line(finding.summary, SHOWN_SUMMARY),
    )


def _fix(finding: Finding) -> str:
    """Return the versions with the fix, or that the last affected one is known, or a dash."""
    if finding.last_affected:
        return f"> {finding.last_affected}"
    return enumerate_some(finding.fixed) or "-"


def _sums(found: Audit) -> Iterator[str]:
    """Yield what the table comes down to, and what to do."""
    total = counted(found.count, "release")
    if number := len(found.findings):
        releases = len({(one.name, one.version) for one in found.findings})
        kinds = "vulnerability" if number == 1 else "vulnerabilities"
        line = f"{number:,} known {kinds} in {releases:,} of {total}"
    else:
        line = f"{total}, none has a known vulnerability"
    yield f"{line}, {len(found.ignored):,} ignored" if found.ignored else line
    if found.upgrade:
        yield f"{', then '.join(found.upgrade)} chooses later versions, if the inputs allow them"
    ended = {one.name for one in found.findings if one.has_end}
    if left := dict.fromkeys(one.name for one in found.findings if one.name not in ended):
        yield f"no version without it is known of {enumerate_some(left)}"
    if found.records is not None:
        newest = found.newest.partition("T")[0]
        changed = f", the last one changed on {one_line(newest, 10)}" if newest else ""
        yield f"{found.place} has {found.records:,} advisories{changed}"


def _print_json(lock: str, found: Audit) -> None:
    echo_json(
        {
            "lock": lock,
            "source": found.place,
            "advisories": found.records,
            "newest": found.newest or None,
            "releases": found.count,
            "vulnerable": [_to_json(one) for one in found.findings],
            "ignored": [_to_json(one) for one in found.ignored],
            "unaudited": found.unaudited,
            "upgrade": found.upgrade,
        }
    )


def _to_json(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name,
        "version": str(finding.version),
        "ids": finding.ids,
        "fixed": [*map(str, finding.fixed)],
        "last-affected": str(finding.last_affected) if finding.last_affected else None,
        "summary": finding.summary,
    }
