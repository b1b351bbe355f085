"""The events of an execution, in its fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from executor.budget.budget import Budget
from executor.environment.changes import Changes
from executor.lock.step import Step
from executor.report.board import Board
from executor.report.recorder import Recorder

if TYPE_CHECKING:
    from executor.wheels.staged_wheel import StagedWheel

__all__ = ["Reporter"]


class Reporter:
    """The receiver of the events of one execution, owned by the caller. This one ignores them all.

    Subclass it and override the events of interest. All are called in the process and the thread
    that called ``execute``.
    """

    recorder = Recorder()
    """Writes the log of the execution, and is used in lanes too. This one writes nothing."""
    board: Board | None = None
    """Where lanes write what they are at, for a view while the execution runs; None for nowhere."""

    def selected(self, changes: Changes, budget: Budget) -> None:
        """Receive the changes that will be made; all checks have passed."""

    def wrote(self, size: int) -> None:
        """Count ``size`` bytes more that the lanes have written. Called about once per MiB."""

    def staged(self, number: int, step: Step, wheel: StagedWheel) -> None:
        """Note that step ``number`` (from 0) is verified and waits for the others."""

    def warned(self, text: str) -> None:
        """Receive a warning, a sentence. The execution goes on."""

    def committing(self) -> None:
        """Note that everything is verified. From here on the environment changes."""
