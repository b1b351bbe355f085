"""The command ``plan``."""

from __future__ import annotations

import time

import click

from executor import (
    Recorder,
    SectionedCommand,
    echo_document,
    is_quiet,
    json_option,
    log_option,
    logged_run,
)
from planner.api import plan_lock
from planner.cli.build_options import PlanBuildOptions, build_options
from planner.cli.console import ConsoleReporter, check_results
from planner.cli.plan_options import (
    LockOptions,
    access_options,
    index_options,
    input_options,
    lock_options,
    plan_target_options,
    policy_options,
)
from planner.index.access import Access
from planner.inputs.options import IndexRequest, PolicyRequest
from planner.inputs.provenance import Provenance
from planner.inputs.targets import TargetRequest
from planner.model.project_set import parse_names
from planner.plan_request import PlanRequest
from planner.review.planned_lock import PlannedLock
from schemas.errors import UsageError

__all__ = ["plan"]


@click.command("plan", cls=SectionedCommand)
@input_options
@plan_target_options
@index_options
@access_options
@policy_options
@build_options
@lock_options
@log_option
@json_option
def plan(
    sources: Provenance,
    targets: TargetRequest,
    indexes: IndexRequest,
    access: Access,
    policy: PolicyRequest,
    builds: PlanBuildOptions,
    locks: LockOptions,
    log: str | None,
    as_json: bool,
) -> None:
    """Choose a wheel of everything that is required, size it, and write the lock.

    The requirements are those of requirements files, or of the pyproject.toml in each folder
    PROJECT (by default the current one), or of a script with inline metadata (PEP 723). One lock
    serves all targets that are named. What no option names is as the existing lock records it: the
    inputs, extras, groups, targets, indexes and rules of the plan before. Its versions are kept if
    they still match; if it is current, no index is asked (see --upgrade and --refresh).
    """
    started = time.monotonic()
    check_results(locks.output, as_json=as_json)
    request = PlanRequest(
        sources=sources,
        output=locks.output,
        targets=targets,
        indexes=indexes,
        policy=policy,
        builds=builds.request,
        build_project=builds.project,
        fragments=builds.fragments,
        engine=builds.engine,
        store=builds.store,
        access=access,
        merge_into=locks.merge_into,
        forget=locks.forget,
        upgrade=locks.upgrade,
        upgraded=locks.upgraded,
        fit=locks.container(),
    )
    if locks.each:
        # Starts processes, which one lock does not need.
        from planner.cli.plan_each import plan_each  # noqa: PLC0415

        _refuse_for_many(locks, sources, log)
        click.get_current_context().exit(plan_each(request, as_json=as_json))
    reporter = ConsoleReporter(quiet=is_quiet(), as_json=as_json)
    results = "--json" if as_json else "the lock" if locks.output == "-" else None
    with logged_run(reporter, log, "plan", results=results):
        planned = plan_lock(request, reporter)
        _remark_unknown(planned, locks, builds, reporter)
        _record(planned, reporter.recorder)
    if planned.path == "-":
        echo_document(planned.text)
    reporter.done(planned, time.monotonic() - started)


def _remark_unknown(
    planned: PlannedLock,
    locks: LockOptions,
    builds: PlanBuildOptions,
    reporter: ConsoleReporter,
) -> None:
    """Tell of each name in an option that no package has: it may be mistyped."""
    built = parse_names(builds.request.select).named - {"never", "missing"}
    for option, names in (("--upgrade-package", locks.upgraded), ("--build", sorted(built))):
        for name in planned.without(names):
            reporter.input_remark(f"{option} {name}: the lock has no such package")


def _record(planned: PlannedLock, record: Recorder) -> None:
    if record.is_on:
        packages = len(planned.lock.packages)
        record.event("locked", lock=planned.path, changed=planned.is_changed, packages=packages)


def _refuse_for_many(locks: LockOptions, sources: Provenance, log: str | None) -> None:
    """Raise UsageError for options that name one lock, with ``--each``."""
    given = {
        "--output": locks.output,
        "--merge-into": locks.merge_into,
        "--requirement": sources.requirements,
        "--log": log,
    }
    for name, value in given.items():
        if value:
            raise UsageError(
                f"--each plans many locks, and {name} is for one",
                hint="name the folders of projects: lockstream plan --each services/*",
            )
