"""The protocol between an installation and the room that builds wheels from sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from executor.budget.budget import Budget
from executor.environment.environment import Environment
from executor.lock.step import Step
from executor.report.report import BuildReport
from executor.report.reporter import Reporter
from executor.sources.origins import Origins

if TYPE_CHECKING:
    from executor.sources.client import HttpClient

__all__ = ["OpenBuilder", "WheelBuilder"]


class WheelBuilder(Protocol):
    """A builder of wheels for one installation, which owns it. It builds one at a time."""

    reports: list[BuildReport]
    """One for each wheel that was built, with the time and memory it took."""

    def check(self, steps: Sequence[Step], budget: Budget) -> None:
        """Raise if the ``steps`` cannot be built inside ``budget``. Starts nothing."""

    def make(self, step: Step, client: HttpClient, budget: Budget) -> Step:
        """Return the step of the wheel that is built from the source of ``step``."""

    def close(self) -> None:
        """Remove the built wheels and all temporary folders."""


OpenBuilder = Callable[[Environment, Origins, str, Reporter], WheelBuilder]
"""Opens a builder for an environment, given the origins of files and the folder of the lock."""
