"""What an installation asks of the side that builds wheels from sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from executor.budget.budget import Budget
from executor.environment.environment import Environment
from executor.lock.step import Step
from executor.report.report import BuildReport
from executor.report.reporter import Reporter
from executor.sources.client import HttpClient
from executor.sources.origins import Origins

__all__ = ["OpenBuilder", "WheelBuilder"]


class WheelBuilder(Protocol):
    """Builds the wheels of one installation, one at a time."""

    reports: list[BuildReport]
    """One for each wheel that was built, with what it took."""

    def check(self, steps: Sequence[Step], budget: Budget) -> None:
        """Raise if a build of ``steps`` cannot be done inside ``budget``; nothing is begun."""

    def make(self, step: Step, client: HttpClient, budget: Budget) -> Step:
        """Return the step of the wheel that is built from the source of ``step``."""

    def close(self) -> None:
        """Remove what was built."""


OpenBuilder = Callable[[Environment, Origins, str, Reporter], WheelBuilder]
"""Opens a builder for an environment: with where files come from, and the folder of the lock."""
