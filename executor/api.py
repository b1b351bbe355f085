"""The verbs of the executor: ``install`` is called with a builder from ``builds``."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from executor.budget.budget import PageCachePolicy
from executor.environment.changes import Sync
from executor.environment.environment import Environment, PathName
from executor.files.durability import Durability
from executor.install.decision import Decision
from executor.install.options import ExecuteOptions
from executor.lock.options import SelectOptions
from executor.report.reporter import Reporter
from executor.sources.origins import Origins
from executor.wheels.rules import STRICT, Rules
from schemas.data_class import frozen
from schemas.urls import redacted, storable

if TYPE_CHECKING:
    from executor.install.builder import WheelBuilder
    from executor.install.early import EarlyDecision
    from executor.report.report import Report

__all__ = ["Building", "execute", "execute_with"]


@frozen(kw_only=True)
class Building:
    """How packages without a wheel may be built in an execution."""

    network: bool = False
    """Whether builds may use the network."""
    seconds: float = 3600.0
    """Time limit of one build."""
    unmeasured: bool = False
    """Whether builds may run whose memory demand the lock does not record."""
    constraints: tuple[str, ...] = ()
    """Paths of files with constraints for build requirements that the lock does not record."""


def execute(
    lock: PathName,
    environment: Environment,
    *,
    memory: int | None = None,
    lanes: int | None = None,
    select: SelectOptions | None = None,
    sync: Sync | None = None,
    origins: Origins | None = None,
    last_wins: bool = False,
    compile_files: bool = False,
    rules: Rules = STRICT,
    page_cache: PageCachePolicy = "auto",
    durability: Durability = "full",
    building: Building | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Install into ``environment`` what the lock file ``lock`` selects for it.

    The keywords are the fields of ``ExecuteOptions``; ``building`` says how wheels are built if
    ``select`` allows builds. The environment changes only when every wheel is verified.

    Raises LockstreamError: each room of the executor has its subclasses in ``errors``.
    """
    options = ExecuteOptions(
        memory=memory,
        lanes=lanes,
        select=select or SelectOptions(),
        sync=sync or Sync(),
        origins=origins or Origins(),
        last_wins=last_wins,
        compile_files=compile_files,
        rules=rules,
        page_cache=page_cache,
        durability=durability,
    )
    is_thawed = gc.get_freeze_count() == 0
    try:
        return execute_with(os.fspath(lock), environment, options, building, reporter)
    finally:
        # All objects were frozen for the lanes. A caller that has frozen its own keeps them so.
        if is_thawed:
            gc.unfreeze()


def execute_with(
    lock: str,
    environment: Environment,
    options: ExecuteOptions,
    building: Building | None = None,
    reporter: Reporter | None = None,
    early: EarlyDecision | None = None,
) -> Report:
    """Do what ``execute`` does, with its options as one value; ``early`` is a fork that has begun
    to prepare. Raises what ``execute`` raises.
    """
    open_builder = partial(_open_builder, building or Building())
    decision = Decision(lock, environment, options, early)
    with decision.ahead() as is_ahead:
        with _uncollected():
            if is_ahead:
                import executor.sources.client  # noqa: PLC0415  # needed next

                if decision.names_https():
                    import executor.sources.tls  # noqa: F401, PLC0415  # needed next
            from executor.install.install import install  # noqa: PLC0415  # while the lock is read

        if is_ahead:
            # Each lane would compile the expressions that hide logins when it needs them first.
            storable(redacted("https://x.example"))
        return install(
            lock,
            environment,
            options,
            decision=decision,
            open_builder=open_builder,
            reporter=reporter,
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the collector not visit what the body imports, which stays; as all objects from the first
    lane on.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_enabled:
            gc.enable()


def _open_builder(
    building: Building,
    environment: Environment,
    origins: Origins,
    folder: str,
    reporter: Reporter,
) -> WheelBuilder:
    from executor.builds.builder import Builder  # noqa: PLC0415  # only a build pays for it

    return Builder(
        environment=environment,
        origins=origins,
        folder=folder,
        network=building.network,
        seconds=building.seconds,
        unmeasured=building.unmeasured,
        constraints=building.constraints,
        reporter=reporter,
    )
