"""Builds on the workers of a Dask cluster.

A build is a task that reserves its request of the resource ``MEMORY``; its wheel comes back with
the result. A task whose worker dies is given to another by Dask itself. One that needs more memory
is given the next class here.

Source: https://distributed.dask.org/en/stable/resources.html.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.builds.unit import BuildUnit, target_label
from planner.engines.attempt import (
    LOSSES,
    Attempt,
    failure,
    lost,
    next_attempt,
    too_large,
)
from planner.engines.dask_cluster import RESOURCE, connected
from planner.engines.errors import EngineUnusable, FailedBuild
from planner.engines.order import BuildOrder, BuildResult
from planner.engines.order_runner import buildable, run_order
from planner.engines.relatives import Relatives
from planner.planning.reporter import Reporter
from schemas.data_class import frozen
from schemas.errors import ExitCode
from schemas.sizes import format_size

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["DaskEngine"]


LOOK_SECONDS = 2.0
"""Time between two looks at which workers are there."""

LOST_SECONDS = 60.0
"""Time in which a worker that died may come back, as one with a nanny does."""


@frozen
class _Worker:
    """What one worker can do."""

    memory: int
    """Bytes."""
    targets: frozenset[tuple[str, str]]
    """Python and platform of each that it builds for."""
    problem: str = ""
    """Why it does no builds at all."""


@dataclass(kw_only=True)
class DaskEngine:
    """Does builds on a cluster; one plan owns it."""

    address: str
    """``dask`` for a cluster on this machine, or the address of a scheduler."""
    reporter: Reporter = field(default_factory=Reporter)

    def run(
        self,
        units: Sequence[BuildUnit],
        lock: bytes,
        keep: Callable[[BuildUnit, BuildResult], None],
    ) -> list[FailedBuild]:
        """Do all ``units`` of ``lock``, hand each wheel to ``keep`` as it comes, and return those
        that failed.

        Raises EngineUnusable, and UsageError if Dask is not installed. However it ends, no build of
        it goes on.
        """
        with connected(self.address) as client:
            run = _Run(client, lock, self.reporter)
            return [*run.all(units, keep)]


class _Run:
    """The builds of one lock on one cluster."""

    def __init__(self, client: Client, lock: bytes, reporter: Reporter) -> None:
        self._client = client
        self._lock = lock
        self._reporter = reporter
        self._targets: dict[str, tuple[str, str]] = {}
        """Python and platform of each target, by its short name."""
        self._workers: dict[str, _Worker] = {}
        """Those that are there, by address."""
        self._open: dict[Any, Attempt] = {}
        """By future."""
        self._waiting: dict[Attempt, float] = {}
        """Builds that no worker can take now, with the time since when."""

    def all(
        self, units: Sequence[BuildUnit], keep: Callable[[BuildUnit, BuildResult], None]
    ) -> Iterator[FailedBuild]:
        """Yield the builds that failed, when all have ended."""
        from distributed import wait  # noqa: PLC0415  # as above

        for unit in units:
            table = unit.target.to_table()
            self._targets[target_label(unit.target)] = table["python"], table["platform"]
        self._look()
        if not any(worker.memory for worker in self._workers.values()):
            raise EngineUnusable(
                self._client.scheduler.address,
                f"none of its {len(self._workers)} workers declares the resource {RESOURCE}",
                hint=f"start workers with --resources {RESOURCE}=BYTES",
            )
        if self._workers and all(worker.problem for worker in self._workers.values()):
            raise EngineUnusable(
                self._client.scheduler.address,
                f"none of its {len(self._workers)} workers can run lockstream: "
                f"{next(iter(self._workers.values())).problem}",
                hint="install the same version of lockstream, with its planner, for all workers",
            )
        # The largest first: it would hold back the end.
        relatives = Relatives(sorted(units, key=lambda one: (-one.request, one.key)))
        yield from self._begin(relatives.first, relatives)
        while self._open or self._waiting or relatives:
            done: set[Any] = set()
            if self._open:
                with suppress(TimeoutError):
                    found = wait([*self._open], LOOK_SECONDS, return_when="FIRST_COMPLETED")
                    done = found.done
            else:
                time.sleep(LOOK_SECONDS)
            for future in done & self._open.keys():
                task, result = self._open.pop(future), _outcome(future)
                if result.status == ExitCode.DONE:
                    keep(task.unit, result)
                    self._drop(task.unit, result.name)
                    yield from self._begin(relatives.after(task.unit, result.name), relatives)
                else:
                    yield from self._try_again(task, result, relatives)
            yield from self._reassign(relatives)
            yield from self._begin(relatives.overdue(time.monotonic()), relatives)

    def _begin(self, units: Sequence[BuildUnit], relatives: Relatives) -> Iterator[FailedBuild]:
        for unit in units:
            relatives.begun(unit, time.monotonic())
            for failed in self._assign(Attempt(unit, unit.request)):
                yield failed
                yield from self._begin(relatives.after(unit, None), relatives)

    def _try_again(
        self, task: Attempt, result: BuildResult, relatives: Relatives
    ) -> Iterator[FailedBuild]:
        """Assign ``task`` with more of what it lacked; if that is in vain, yield it as failed."""
        if again := next_attempt(task, result):
            yield from self._assign(again)
        else:
            yield failure(task, result)
            yield from self._begin(relatives.after(task.unit, None), relatives)

    def _drop(self, unit: BuildUnit, wheel: str) -> None:
        """Cancel the builds that ``wheel`` of ``unit`` turns out to serve as well."""

        def is_served(task: Attempt) -> bool:
            return task.unit.family == unit.family and task.unit.is_served_by(wheel)

        for future in [one for one, task in self._open.items() if is_served(task)]:
            del self._open[future]
            future.cancel()
        for task in [one for one in self._waiting if is_served(one)]:
            del self._waiting[task]

    def _look(self) -> None:
        """Find out which workers are there, and what new ones build."""
        info = self._client.scheduler_info(n_workers=-1)["workers"]
        new = [address for address in info if address not in self._workers]
        able: dict[str, Any] = {}
        if new:
            wanted = [*self._targets.values()]
            able = self._client.run(buildable, wanted, workers=new, on_error="return")
        known = {
            address: _Worker(
                int(info[address].get("resources", {}).get(RESOURCE, 0)),
                frozenset(() if isinstance(found, BaseException) else map(tuple, found)),
                str(found) if isinstance(found, BaseException) else "",
            )
            for address, found in able.items()
        }
        kept = {address: one for address, one in self._workers.items() if address in info}
        self._workers = {**kept, **known}

    def _assign(self, task: Attempt) -> Iterator[FailedBuild]:
        """Submit ``task`` to the workers that can take it; without any, let it wait for a while,
        and then yield it as failed.
        """
        label = target_label(task.unit.target)
        able = {
            address: worker.memory
            for address, worker in self._workers.items()
            if self._targets[label] in worker.targets
        }
        fitting = [address for address, memory in able.items() if memory >= task.memory]
        if fitting:
            self._waiting.pop(task, None)
            task.workers = frozenset(fitting)
            self._reporter.building(
                f"{task.unit.requirement} for {label}",
                f"{format_size(task.memory)}, on {len(fitting)} workers",
            )
            self._open[self._submit(task, fitting)] = task
            return
        since = self._waiting.setdefault(task, time.monotonic())
        # A worker that died may come back; one that never was there does not.
        if not task.workers or time.monotonic() - since > LOST_SECONDS:
            del self._waiting[task]
            yield too_large(task, [*able.values()])

    def _reassign(self, relatives: Relatives) -> Iterator[FailedBuild]:
        """Assign the builds again of which all workers have left, but not without end."""
        self._look()
        orphans = [
            future for future, task in self._open.items() if not task.workers & set(self._workers)
        ]
        for future in orphans:
            task = self._open.pop(future)
            future.cancel()
            task.attempts += 1
            task.losses += 1
            if task.losses < LOSSES:
                yield from self._assign(task)
            else:
                yield from self._try_again(task, lost(task.losses), relatives)
        for task in [*self._waiting]:
            yield from self._assign(task)

    def _submit(self, task: Attempt, workers: Sequence[str]) -> Future:
        order = BuildOrder(
            key=task.unit.key,
            package=task.unit.requirement,
            target=target_label(task.unit.target),
            lock=self._lock,
            memory=task.memory,
        )
        return self._client.submit(
            run_task,
            order,
            key=f"{task.unit.requirement}-{task.unit.key[:12]}-{task.memory}-{task.attempts}",
            workers=list(workers),
            allow_other_workers=False,
            resources={RESOURCE: task.memory},
            pure=False,
        )


def run_task(order: BuildOrder) -> BuildResult:
    """Do ``order`` on a worker for as long as the scheduler wants its result."""
    from distributed import get_worker  # noqa: PLC0415  # it is there, for this runs in a worker
    from distributed.worker import thread_state  # noqa: PLC0415

    worker, key = get_worker(), thread_state.key

    def is_wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state in {"executing", "long-running"}

    return run_order(order, is_wanted)


def _outcome(future: Future) -> BuildResult:
    """Return the result of a task that has ended, also of one that its workers did not survive."""
    error = future.exception()
    if error is None:
        result = future.result()
        assert isinstance(result, BuildResult)
        return result
    if type(error).__name__ == "KilledWorker":
        text = "its workers died, perhaps for lack of memory"
        return BuildResult(status=ExitCode.NOT_ENOUGH, text=text)
    return BuildResult(status=ExitCode.BUILD_FAILED, text=f"{type(error).__name__}: {error}")
