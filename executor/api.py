"""Api."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from executor.budget.budget import Budget
from executor.environment.environment import Environment
from executor.lock.step import Step
from executor.report.report import BuildReport
from executor.transaction.transaction import Build, Transaction

__all__ = ["Building"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """How what has no wheel may be built."""

    network: bool = False
    seconds: float = 3600.0
    """After which a build is given up."""
    unmeasured: bool = False
    """Whether builds may run of which the lock does not tell what they take."""


@contextmanager
def _builds(
    steps: Sequence[Step],
    environment: Environment,
    transaction: Transaction,
    budget: Budget,
    building: Building | None,
) -> Iterator[tuple[Build, list[BuildReport]]]:
    """What makes the wheels of ``steps``, and where it tells what they took. Raises what
    ``Builds.check`` raises.
    """
    from executor.builds.builder import Builds  # noqa: PLC0415

    told = building or Building()
    builds = Builds(
        environment=environment,
        places=transaction.places,
        folder=transaction.lock_folder,
        network=told.network,
        seconds=told.seconds,
        unmeasured=told.unmeasured,
        reporter=transaction.reporter,
    )
    builds.check(steps, budget)
    try:
        yield lambda step, client: builds.make(step, client, budget), builds.reports
    finally:
        builds.close()
