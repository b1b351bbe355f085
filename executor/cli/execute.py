"""The command ``execute``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import click

from executor.api import execute_with
from executor.cli.build_options import BuildOptions, build_options
from executor.cli.console import WarningReporter, print_result
from executor.cli.execute_options import (
    OriginOptions,
    ResourceOptions,
    change_options,
    check_options,
    collision_option,
    origin_options,
    resource_options,
)
from executor.cli.live import LineReporter, LiveReporter
from executor.cli.log_option import log_option, logged
from executor.cli.option_group import SectionedCommand, json_option, lock_argument, section
from executor.cli.options import (
    EnvironmentOptions,
    environment_options,
    relocatable_option,
    selection_options,
)
from executor.cli.output import echo, is_quiet, is_verbose
from executor.environment.changes import Sync
from executor.environment.environment import Environment
from executor.files.regular import open_at_once
from executor.install.options import ExecuteOptions
from executor.lanes.signals import stoppable
from executor.lock.options import SelectOptions
from executor.wheels.rules import Rules
from schemas.errors import NotWritten
from schemas.urls import hidden_in

__all__ = ["execute"]


@click.command(cls=SectionedCommand)
@lock_argument
@environment_options
@resource_options
@selection_options
@build_options
@change_options
@section(
    "Changes",
    click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing."),
)
@origin_options
@collision_option
@check_options
@relocatable_option
@click.option("--compile", "compile_files", is_flag=True, help="Compile modules to byte code.")
@click.option("--report", metavar="FILE", help="Write the report as JSON.")
@log_option
@click.option(
    "--progress",
    type=click.Choice(["plain", "none"]),
    default="plain",
    show_default=True,
    help="Print a line for each wheel, or nothing.",
)
@json_option
def execute(
    lock: str,
    *,
    where: EnvironmentOptions,
    resources: ResourceOptions,
    select: SelectOptions,
    builds: BuildOptions,
    sync: Sync,
    origins: OriginOptions,
    rules: Rules,
    dry_run: bool,
    on_collision: str,
    relocatable: bool,
    compile_files: bool,
    report: str | None,
    log: str | None,
    progress: str,
    as_json: bool,
) -> None:
    """Install LOCK (default: pylock.toml) into an environment, inside a memory budget.

    Every wheel is streamed from the network to the disk in one pass and verified on the way. The
    environment changes only when all wheels are complete.
    """
    if report:
        _check_report(report, [lock, *origins.bundle], dry_run=dry_run)
    given, memory = origins.origins(lock), resources.budget()
    lock, select = builds.with_projects(lock, select)
    options = ExecuteOptions(
        memory=memory,
        lanes=resources.lanes,
        select=select,
        sync=sync,
        origins=given,
        last_wins=on_collision == "last",
        compile_files=compile_files,
        rules=rules,
        page_cache=resources.page_cache,
        durability=resources.durability,
    )
    environment = where.open(relocatable=relocatable)
    if dry_run:
        _print_changes(lock, environment, options, log, as_json=as_json)
        return
    with _guarded_umask(), ExitStack() as stack:
        reporter = stack.enter_context(_reporter(progress))
        results = "--json" if as_json else None
        stack.enter_context(logged(reporter, log, results=results, report=report))
        stack.enter_context(stoppable())
        done = execute_with(
            lock, environment, options, builds.building(), reporter, click.get_current_context().obj
        )
    if report:
        _write_json(report, done.to_json())
    if as_json:
        print_result(done.to_json(), ())
    elif not is_quiet():
        reporter.print_changes()
        print_result(None, done.lines() if is_verbose() else done.summary(), err=log == "-")


def _check_report(report: str, inputs: Sequence[str], *, dry_run: bool) -> None:
    from executor.cli.output_file import check_output_file  # noqa: PLC0415  # rarely needed

    check_output_file("--report", report, inputs, makes_folders=True)
    if dry_run:
        echo("warning: a dry run installs nothing, so --report writes no file", err=True)


@contextmanager
def _guarded_umask() -> Iterator[None]:
    """Let not every user write to what the body makes: ``verify`` would call it changed."""
    try:
        before = os.umask(0o077)
    except OSError:  # a seccomp filter refuses the call: that of the system stays
        yield
        return
    os.umask(before | 0o002)
    try:
        yield
    finally:
        os.umask(before)


def _print_changes(
    lock: str, environment: Environment, options: ExecuteOptions, log: str | None, *, as_json: bool
) -> None:
    from executor.install.decide import decide  # noqa: PLC0415  # else a fork reads the lock
    from executor.install.run_events import record_changes, recorded  # noqa: PLC0415  # for a log

    reporter = WarningReporter()
    with (
        logged(reporter, log, results="--json" if as_json else None),
        recorded(reporter.recorder, lock, environment, options, dry_run=True),
    ):
        changes = decide(
            lock, environment, select=options.select, sync=options.sync, origins=options.origins
        )
        for remark in changes.remarks(options.sync):
            reporter.warned(remark)
        record_changes(reporter.recorder, changes)
    print_result(changes.to_json() if as_json else None, changes.lines(), err=log == "-")


def _reporter(progress: str) -> WarningReporter:
    if progress == "none" or is_quiet():
        return WarningReporter()
    is_dumb = os.environ.get("TERM") == "dumb"  # it shows what erases a line
    return LiveReporter() if sys.stderr.isatty() and not is_dumb else LineReporter()


def _write_json(path: str, content: object) -> None:
    try:
        with open(path, "w", encoding="utf-8", opener=open_at_once) as file:
            try:
                file.write(json.dumps(hidden_in(content), indent=2) + "\n")
                file.flush()
            except OSError:
                if os.path.isfile(path):  # a device stays
                    os.unlink(path)
                raise
    except OSError as error:
        raise NotWritten(
            f"{path}: cannot be written",
            error,
            hint="the environment is complete; name another file and run the command again",
        ) from None
