"""The command ``build``."""

from __future__ import annotations

import json
import os
import time

import click
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from executor import check_output_file, echo, is_quiet, target_options
from planner.builds.fragment import Fragment
from planner.builds.unit import BuildUnit, target_label, units_of
from planner.builds.unit_build import UnitBuild
from planner.builds.wheel_store import opened_store
from planner.cli.console import ConsoleReporter
from planner.cli.lock_options import open_lock
from planner.cli.plan_options import access_options
from planner.index.access import Access
from planner.lock.writer import write_atomically
from planner.review.recorded import targets_of
from schemas.errors import NotWritten, UsageError
from schemas.sizes import format_size, parse_size
from schemas.urls import redacted

__all__ = ["build"]


@click.command("build")
@click.argument("package", metavar="NAME[==VERSION]")
@click.argument("lock", metavar="[LOCK]", default="pylock.toml")
@click.option(
    "--target",
    "label",
    metavar="TARGET",
    help="The target to build for, as lockstream builds names it (cp312-manylinux_2_28_x86_64). "
    "Needed if there are builds of the package for several.",
)
@click.option(
    "--into",
    "store",
    metavar="DIR|URL",
    default="built",
    show_default=True,
    help="The folder for the wheel and what its build took, or an address at which a server stores "
    "files (HTTP PUT); others may write to it too.",
)
@target_options
@click.option("--memory", metavar="SIZE", help="End the build if it takes more, with status 7.")
@click.option("--report", metavar="FILE", help="Write what was built to this file, as JSON.")
@access_options
def build(
    package: str,
    lock: str,
    label: str | None,
    store: str,
    python_versions: tuple[str, ...],
    platforms: tuple[str, ...],
    memory: str | None,
    report: str | None,
    access: Access,
) -> None:
    """Do one of the builds that a lock leaves to other machines (lockstream builds lists them).

    A wheel that is there already is not built again, and a pure one only once for all targets. plan
    --fragments lists the wheels in the lock. Status 7 means that the build needs more memory, 5
    that it may be tried again, 8 that it failed, and 9 that the wheel cannot be stored.
    """
    started = time.monotonic()
    content = open_lock(lock)
    folder = os.path.dirname(os.path.abspath(lock))
    targets = targets_of(content, python_versions, platforms)
    unit = _choose(units_of(content, targets), package, label, lock)
    if report:
        check_output_file("--report", report, [lock])
    builder = UnitBuild(
        lock=content,
        folder=folder,
        targets=targets,
        access=access,
        memory=parse_size(memory) if memory else None,
        reporter=ConsoleReporter(quiet=is_quiet()),
    )
    with opened_store(store, access) as opened:
        fragment, is_new = builder.build(unit, opened)
    seconds = time.monotonic() - started
    if report:
        _write_report(report, fragment, is_new=is_new, seconds=seconds)
    if not is_quiet():
        verb = "built" if is_new else "kept"
        demand = format_size(fragment.record.peak)
        place = "/".join((redacted(store) if "://" in store else store, fragment.key))
        echo(f"{verb} {fragment.wheel} in {place}: {demand}, in {seconds:.1f} s")


def _choose(units: tuple[BuildUnit, ...], package: str, label: str | None, lock: str) -> BuildUnit:
    """Return the build that the command line names. Raises UsageError."""
    try:
        wanted = Requirement(package)
    except InvalidRequirement:
        raise UsageError(
            f"{package!r} is not a package", hint="name it as NAME or NAME==VERSION"
        ) from None
    if wanted.url or wanted.marker or wanted.extras:
        raise UsageError(
            f"{package!r} says more than which package of {lock} to build",
            hint="name it as NAME or NAME==VERSION: the lock has its address, and all its extras",
        )
    name = canonicalize_name(wanted.name)
    found = [
        unit
        for unit in units
        if unit.name == name
        and (unit.version is None or wanted.specifier.contains(unit.version, prereleases=True))
        and label in {None, target_label(unit.target)}
    ]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{unit.requirement} --target {target_label(unit.target)}" for unit in found)
    if found:
        raise UsageError(f"{package} has several builds in {lock}", hint=f"name one of {listed}")
    at = f" for {label}" if label else ""
    raise UsageError(
        f"{lock} leaves no build of {package}{at} to others",
        hint="lockstream builds lists those that it does",
    )


def _write_report(path: str, fragment: Fragment, *, is_new: bool, seconds: float) -> None:
    table = {
        **fragment.to_json(),
        "outcome": "built" if is_new else "kept",
        "seconds": round(seconds, 1),
    }
    try:
        write_atomically(path, json.dumps(table, indent=1) + "\n")
    except OSError as error:
        raise NotWritten(f"{path} cannot be written", error) from None
