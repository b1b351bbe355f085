"""One attempt at a build on a machine of an engine, and what comes after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from planner.builds.unit import BuildUnit, next_class, target_label
from planner.engines.errors import FailedBuild
from planner.engines.order import BuildResult
from schemas.errors import ExitCode
from schemas.sizes import format_size

__all__ = ["LOSSES", "Attempt", "failure", "lost", "next_attempt", "too_large"]


ATTEMPTS = 4
"""Of a build whose network or index fails."""

LOSSES = 3
"""How often all workers of a build may be lost before it counts as one that kills them. Dask lets a
task end as many workers that a nanny starts again."""


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt at a build; the run on an engine owns it."""

    unit: BuildUnit
    memory: int
    """Bytes."""
    attempts: int = 1
    workers: frozenset[str] = frozenset()
    """The workers that may do it; empty if there was never one."""
    losses: int = 0
    """How often all of them were lost."""
    before: str = ""
    """What the attempt with less memory has said at its end."""


def lost(times: int) -> BuildResult:
    """Return the result of a build whose workers were lost so often."""
    text = f"its workers were lost {times} times, perhaps for lack of memory"
    return BuildResult(status=ExitCode.NOT_ENOUGH, text=text)


def next_attempt(task: Attempt, result: BuildResult) -> Attempt | None:
    """Return the task to try after this end; None if another attempt would end in the same way."""
    if result.status == ExitCode.NETWORK and task.attempts < ATTEMPTS:
        return Attempt(task.unit, task.memory, task.attempts + 1, task.workers)
    if result.status == ExitCode.NOT_ENOUGH and (larger := next_class(task.memory)):
        return Attempt(task.unit, larger, task.attempts + 1, before=result.text)
    return None


def failure(task: Attempt, result: BuildResult) -> FailedBuild:
    """Return what is said of a build of which another attempt would be in vain."""
    label = target_label(task.unit.target)
    reason = f"the build ended with status {result.status}"
    return FailedBuild(task.unit.requirement, label, reason, result.text, result.status)


def too_large(task: Attempt, sizes: Sequence[int]) -> FailedBuild:
    """Return what is said of a build that no worker can take; those for its target have ``sizes``
    bytes.
    """
    label, status = target_label(task.unit.target), ExitCode.NOT_ENOUGH
    if sizes:
        reason = (
            f"it needs {format_size(task.memory)} of memory, and the largest worker for this "
            f"target has {format_size(max(sizes))}"
        )
    elif task.workers or task.before:
        reason = "no worker for this target is left"
    else:
        reason, status = "no worker of the cluster builds for this target", ExitCode.BUILD_FAILED
    return FailedBuild(task.unit.requirement, label, reason, task.before, status)
