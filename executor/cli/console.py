"""Console."""

from __future__ import annotations

import click

from executor.budget.budget import Budget
from executor.environment.changes import Changes
from executor.lock.step import Step
from executor.report.reporter import Reporter
from executor.wheels.staged_wheel import StagedWheel


class _Warnings(Reporter):
    """What the user should know in any case."""

    def warned(self, text: str) -> None:
        click.echo(f"warning: {text}", err=True)


class _Lines(_Warnings):
    """Plain lines: one for each wheel, in order."""

    def __init__(self) -> None:
        self._total = 0

    def selected(self, changes: Changes, budget: Budget) -> None:
        self._total = len(changes.install)
        for name in changes.skipped:
            click.echo(f"warning: {name} is left out, it would have to be built", err=True)

    def staged(self, number: int, step: Step, wheel: StagedWheel) -> None:
        click.echo(f"[{number + 1}/{self._total}] {step.name} {step.version}", err=True)
