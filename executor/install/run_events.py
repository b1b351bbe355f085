"""The events of a whole execution in its log: how it begins, what it may use, how it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from executor.budget.budget import Budget
from executor.budget.memory import found_limits
from executor.environment.changes import Changes
from executor.environment.environment import Environment
from executor.install.options import ExecuteOptions
from executor.report.recorder import Recorder
from executor.report.report import Report
from executor.report.whole_run import run_recorded

__all__ = ["figures_of", "record_changes", "record_limits", "recorded"]


@contextmanager
def recorded(
    recorder: Recorder,
    lock: str,
    environment: Environment,
    options: ExecuteOptions,
    *,
    dry_run: bool = False,
) -> Iterator[dict[str, object]]:
    """Write the beginning of an execution, samples while the body runs, and its end: the error that
    it raises, or the figures that it puts into the table that is yielded. A ``dry_run`` is one that
    only decides.
    """
    if not recorder.is_on:
        yield {}
        return
    with run_recorded(
        recorder,
        "execute",
        lock=os.path.abspath(lock),
        environment=environment.path,
        target=str(environment.interpreter.target),
        **({"dry_run": True} if dry_run else {}),
    ) as end:
        record_limits(recorder, options.memory)
        yield end


def record_limits(recorder: Recorder, memory: int | None) -> None:
    """Write every limit of memory that holds here; ``memory`` is that of the user, in bytes."""
    if recorder.is_on:
        recorder.event(
            "limits",
            found=[
                {"source": limit.source, "available": limit.available, "others": limit.others}
                for limit in found_limits(memory)
            ],
        )


def record_changes(recorder: Recorder, changes: Changes, budget: Budget | None = None) -> None:
    """Write what an execution may use, and every package that it installs or removes. A dry run has
    no ``budget``.
    """
    if not recorder.is_on:
        return
    if budget is not None:
        recorder.event(
            "budget",
            memory=budget.memory,
            source=budget.source,
            lanes=budget.lanes,
            wanted=budget.wanted,
            next_lane=budget.next_lane,
            window=budget.window,
        )
    recorder.event(
        "selected",
        install=len(changes.install),
        remove=len(changes.remove),
        unchanged=len(changes.unchanged),
        left_out=len(changes.skipped),
    )
    for step in changes.install:
        recorder.event(
            "package",
            package=step.name,
            version=step.version,
            file=step.filename,
            size=step.size,
            unpacked=step.hints.unpacked_size if step.hints else None,
            files=step.hints.files if step.hints else None,
            build=step.source is not None,
        )
    for found in changes.remove:
        recorder.event("removes", package=found.name, version=found.version)


def figures_of(report: Report) -> dict[str, object]:
    """Return the figures of an execution for the last event of its log."""
    return {
        "seconds": report.seconds,
        "installed": report.installed,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "files": report.files,
        "fetched": report.bytes_fetched,
        "unpacked": report.bytes_installed,
        "rss_peak": report.rss_peak,
        "charged_peak": report.charged_peak,
        "charged_before": report.charged_before,
        "sampled": report.is_sampled,
        "confined": report.is_confined,
        **report.spent.of_lanes(),
        "committing": round(report.spent.committing, 4),
    }
