"""The commands ``execute`` and ``verify``."""

from __future__ import annotations

import json
import os
from typing import Any

import click
from packaging.utils import canonicalize_name

from executor.budget.budget import PageCachePolicy
from executor.cli.build_options import building_of, building_options, with_projects
from executor.cli.console import _Lines, _Warnings
from executor.cli.mirrors import _mirrors
from executor.cli.options import (
    _environment,
    _environment_options,
    _json_option,
    _lock_argument,
    _print,
    _selection_options,
    _wanted,
)
from executor.environment.changes import Sync
from executor.files.durability import Durability
from executor.install.install import execute as execute_lock
from executor.lanes.signals import stoppable
from executor.sources.origins import Places
from executor.wheels.rules import Rules
from schemas.errors import UsageError
from schemas.sizes import parse_size

__all__ = ["execute"]


@click.command()
@_lock_argument
@_environment_options
@click.option(
    "--memory",
    default="auto",
    metavar="auto|SIZE",
    show_default=True,
    help="Memory budget, such as 64MiB. auto: what the surrounding cgroups leave.",
)
@click.option("--lanes", type=click.IntRange(1), metavar="N", help="Wheels to work on at once.")
@_selection_options
@building_options
@click.option("--exact", is_flag=True, help="Remove what the lock does not hold.")
@click.option(
    "--remove",
    multiple=True,
    metavar="NAME",
    help="Remove this package, if the lock does not hold it. --exact spares pip, setuptools, "
    "wheel and lockstream; this does not.",
)
@click.option("--reinstall", is_flag=True, help="Replace everything, even what is right.")
@click.option("--reinstall-package", multiple=True, metavar="NAME", help="Replace this package.")
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--offline", is_flag=True, help="Take files from this machine only.")
@click.option("--find-links", multiple=True, metavar="DIR", help="Look for files here first.")
@click.option(
    "--mirror",
    multiple=True,
    metavar="FROM=TO",
    help="Fetch URLs that begin with FROM from TO instead, or from the next TO given for it; "
    "hashes still decide.",
)
@click.option(
    "--page-cache",
    type=click.Choice(["auto", "drop", "keep"]),
    default="auto",
    show_default=True,
    help="Whether written files stay in memory; auto: not where it is limited, and large ones not "
    "where the disk is waited for.",
)
@click.option(
    "--durability",
    type=click.Choice(["full", "kill"]),
    default="full",
    show_default=True,
    help="What the environment survives: the loss of power, or only that of the process.",
)
@click.option("--keyring", is_flag=True, help="Ask the keyring program for credentials.")
@click.option(
    "--on-collision",
    type=click.Choice(["refuse", "last"]),
    default="refuse",
    show_default=True,
    help="When two packages own one path with different contents.",
)
@click.option(
    "--lenient",
    is_flag=True,
    help="Install wheels whose RECORD is wrong, or that hold a file twice, with a warning.",
)
@click.option(
    "--verify-record/--no-verify-record",
    default=True,
    show_default=True,
    help="Hold each file to its hash in the wheel's RECORD, as the wheel standard demands, or "
    "believe it, as pip and uv do. The hash of the lock decides in any case.",
)
@click.option(
    "--allow-startup",
    multiple=True,
    metavar="NAME",
    help="This package may bring a sitecustomize or usercustomize module.",
)
@click.option("--compile", "compile_files", is_flag=True, help="Compile to byte code.")
@click.option("--report", metavar="FILE", help="Write the report as JSON.")
@click.option(
    "--progress",
    type=click.Choice(["plain", "none"]),
    default="plain",
    show_default=True,
    help="A line for each wheel, or nothing.",
)
@_json_option
def execute(
    lock: str,
    memory: str,
    lanes: int | None,
    exact: bool,
    remove: tuple[str, ...],
    reinstall: bool,
    reinstall_package: tuple[str, ...],
    dry_run: bool,
    offline: bool,
    find_links: tuple[str, ...],
    mirror: tuple[str, ...],
    keyring: bool,
    page_cache: PageCachePolicy,
    durability: Durability,
    on_collision: str,
    lenient: bool,
    verify_record: bool,
    allow_startup: tuple[str, ...],
    compile_files: bool,
    report: str | None,
    progress: str,
    as_json: bool,
    **where_and_what: Any,
) -> None:
    """Make an environment what LOCK (default: pylock.toml) says, inside a memory budget.

    Every wheel is streamed from the network to the disk in one pass and verified on the way. The
    environment changes only when all of them are complete.
    """
    sync = Sync(
        exact=exact,
        reinstall=reinstall,
        reinstall_packages=frozenset(map(canonicalize_name, reinstall_package)),
        remove=frozenset(map(canonicalize_name, remove)),
    )
    places = Places(
        find_links=find_links,
        mirrors=_mirrors(mirror, lock),
        offline=offline,
        keyring=keyring,
    )
    budget = None if memory == "auto" else parse_size(memory)
    lock, wanted = with_projects(lock, _wanted(**where_and_what), **where_and_what)
    environment = _environment(**where_and_what)
    if dry_run:
        from executor.install.decide import decide  # noqa: PLC0415

        changes = decide(lock, environment, wanted=wanted, sync=sync, places=places)
        _print(changes.to_json() if as_json else None, changes.lines())
        return
    with stoppable():
        done = execute_lock(
            lock,
            environment,
            memory=budget,
            lanes=lanes,
            wanted=wanted,
            sync=sync,
            places=places,
            page_cache=page_cache,
            durability=durability,
            building=building_of(**where_and_what),
            last_wins=on_collision == "last",
            compile_files=compile_files,
            rules=Rules(
                lenient=lenient,
                verify_record=verify_record,
                startup=frozenset(canonicalize_name(name) for name in allow_startup),
            ),
            reporter=_Lines() if progress == "plain" else _Warnings(),
        )
    if report:
        _write_json(report, done.to_json())
    _print(done.to_json() if as_json else None, done.lines())


def _write_json(path: str, content: object) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {os.strerror(error.errno or 0)}",
            hint="the environment is filled; name another file, and run it again for its report",
        ) from None
