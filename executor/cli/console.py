"""The output of the executor's commands: results to stdout, progress and warnings to stderr."""

from __future__ import annotations

from collections.abc import Iterable

from executor.budget.budget import Budget
from executor.cli.output import echo, echo_json
from executor.environment.changes import Changes
from executor.lock.step import Step
from executor.report.reporter import Reporter
from executor.wheels.staged_wheel import StagedWheel

__all__ = ["LineReporter", "WarningReporter", "print_result"]


def print_result(content: object, lines: Iterable[str], *, err: bool = False) -> None:
    """Print ``content`` as JSON, or ``lines`` if it is None; ``err``: to standard error."""
    if content is not None:
        echo_json(content)
        return
    for line in lines:
        echo(line, err=err)


class WarningReporter(Reporter):
    """Prints warnings only."""

    def warned(self, text: str) -> None:
        self.recorder.event("warning", text=text)
        echo(f"warning: {text}", err=True)


class LineReporter(WarningReporter):
    """Prints a line for each wheel, in the order of the lock."""

    def __init__(self) -> None:
        self._total = 0

    def selected(self, changes: Changes, budget: Budget) -> None:
        self._total = len(changes.install)
        for name in changes.skipped:
            echo(f"warning: {name} is left out, because it must be built", err=True)

    def staged(self, number: int, step: Step, wheel: StagedWheel) -> None:
        echo(f"[{number + 1}/{self._total}] {step.name} {step.version}", err=True)
