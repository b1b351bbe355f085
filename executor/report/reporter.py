"""Reporter: hears what an execution does, in its fixed order."""

from __future__ import annotations

from executor.budget.budget import Budget
from executor.environment.changes import Changes
from executor.lock.step import Step
from executor.wheels.staged_wheel import StagedWheel

__all__ = ["Reporter"]


class Reporter:
    """Does nothing. Subclass it and override the events of interest.

    All are called from the process and the thread that called ``execute``.
    """

    def selected(self, changes: Changes, budget: Budget) -> None:
        """All checks passed; these changes will be made."""

    def wrote(self, size: int) -> None:
        """The lanes have written ``size`` bytes more. Called about once a MiB."""

    def staged(self, number: int, step: Step, wheel: StagedWheel) -> None:
        """Step ``number`` (from 0) is verified and waits for the others."""

    def warned(self, text: str) -> None:
        """Something is odd, and no reason to stop."""

    def committing(self) -> None:
        """Everything is verified; from here on the environment changes."""
