"""Builds on the workers of a Dask cluster.

A build is a task that reserves its request of the resource ``MEMORY``; its wheel comes back with
the result. A task whose worker dies is given to another by Dask itself. One that needs more memory
is given the next class here.

Source: https://distributed.dask.org/en/stable/resources.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from executor import available_memory
from planner.builds.unit import BuildUnit, next_class, target_label
from planner.engines.engine_name import LOCAL
from planner.engines.errors import EngineUnusable, FailedBuild
from planner.engines.order import BuildOrder, BuildResult
from planner.engines.order_runner import buildable, run_order
from planner.planning.reporter import Reporter
from schemas.errors import ExitCode, UsageError
from schemas.sizes import format_size

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["DaskEngine"]


RESOURCE = "MEMORY"
"""The resource, in bytes, that workers have to declare: ``dask worker --resources MEMORY=8e9``."""

CONNECT_SECONDS = 20

ATTEMPTS = 4
"""Of a build whose network or index fails."""

RESERVED = 256 << 20
"""Bytes that a cluster on this machine leaves to the plan itself."""


@dataclass(slots=True)
class _Assignment:
    """One build that is under way."""

    unit: BuildUnit
    memory: int
    """Bytes."""
    attempts: int = 1


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
        with _translated(self.address), self._connected() as client:
            run = _Run(client, lock, self.reporter)
            return [*run.all(units, keep)]

    @contextmanager
    def _connected(self) -> Iterator[Client]:
        try:
            import distributed  # noqa: PLC0415  # an extra, and 1.5 s
        except ModuleNotFoundError:
            raise UsageError(
                f"--on {self.address} requires Dask, which is not installed",
                hint="pip install 'lockstream[dask]'",
            ) from None
        with ExitStack() as stack:
            address = self.address.replace("dask://", "tcp://", 1)
            if self.address == LOCAL:
                memory = max(0, (available_memory() or 0) - RESERVED)
                address = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=1,
                        processes=False,
                        resources={RESOURCE: memory},
                        memory_limit=None,
                        dashboard_address=None,
                    )
                )
            yield stack.enter_context(
                distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
            )


class _Run:
    """The builds of one lock on one cluster."""

    def __init__(self, client: Client, lock: bytes, reporter: Reporter) -> None:
        self._client = client
        self._lock = lock
        self._reporter = reporter
        self._sizes = {
            address: float(worker.get("resources", {}).get(RESOURCE, 0))
            for address, worker in client.scheduler_info(n_workers=-1)["workers"].items()
        }
        if not any(self._sizes.values()):
            raise EngineUnusable(
                client.scheduler.address,
                f"none of its {len(self._sizes)} workers declares the resource {RESOURCE}",
                hint=f"start workers with --resources {RESOURCE}=BYTES",
            )

    def all(
        self, units: Sequence[BuildUnit], keep: Callable[[BuildUnit, BuildResult], None]
    ) -> Iterator[FailedBuild]:
        """Yield the builds that failed, when all have ended."""
        from distributed import as_completed  # noqa: PLC0415  # as above

        able = self._able(units)
        open_tasks: dict[Any, _Assignment] = {}
        order = as_completed(loop=self._client.loop)

        def submit(task: _Assignment) -> FailedBuild | None:
            workers = able[target_label(task.unit.target)]
            label = f"{task.unit.requirement} for {target_label(task.unit.target)}"
            fitting = [one for one in workers if self._sizes[one] >= task.memory]
            if not fitting:
                return _too_large(task, [self._sizes[one] for one in workers])
            self._reporter.building(label, f"{format_size(task.memory)}, on {len(fitting)} workers")
            future = self._submit(task, fitting)
            open_tasks[future] = task
            order.add(future)
            return None

        # The largest first: it would hold back the end.
        for unit in sorted(units, key=lambda one: (-one.request, one.key)):
            if failed := submit(_Assignment(unit, unit.request)):
                yield failed
        for future in order:
            task = open_tasks.pop(future)
            result = _outcome(future)
            if result.status == ExitCode.DONE:
                keep(task.unit, result)
                continue
            again = _next(task, result)
            if failed := submit(again) if again else _failure(task, result):
                yield failed

    def _able(self, units: Sequence[BuildUnit]) -> dict[str, list[str]]:
        """Return, for each target, the addresses of the workers that build for it."""
        tables = {target_label(unit.target): unit.target.to_table() for unit in units}
        names = {label: (one["python"], one["platform"]) for label, one in tables.items()}
        found = self._client.run(buildable, list(names.values()))
        return {
            label: [worker for worker, can in found.items() if name in [tuple(one) for one in can]]
            for label, name in names.items()
        }

    def _submit(self, task: _Assignment, workers: Sequence[str]) -> Future:
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


def _next(task: _Assignment, result: BuildResult) -> _Assignment | None:
    """Return the task to try after this end; None if another attempt would end in the same way."""
    if result.status == ExitCode.NETWORK and task.attempts < ATTEMPTS:
        return _Assignment(task.unit, task.memory, task.attempts + 1)
    if result.status == ExitCode.NOT_ENOUGH and (larger := next_class(task.memory)):
        return _Assignment(task.unit, larger, task.attempts + 1)
    return None


def _failure(task: _Assignment, result: BuildResult) -> FailedBuild:
    label = target_label(task.unit.target)
    reason = f"the build ended with status {result.status}"
    return FailedBuild(task.unit.requirement, label, reason, result.text, result.status)


def _too_large(task: _Assignment, sizes: Sequence[float]) -> FailedBuild:
    label = target_label(task.unit.target)
    if not sizes:
        reason = "no worker of the cluster builds for this target"
        return FailedBuild(task.unit.requirement, label, reason)
    reason = (
        f"it needs {format_size(task.memory)} of memory, and the largest worker for this target "
        f"has {format_size(int(max(sizes)))}"
    )
    return FailedBuild(task.unit.requirement, label, reason, status=ExitCode.NOT_ENOUGH)


@contextmanager
def _translated(address: str) -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise EngineUnusable(address, f"it cannot be reached: {error}") from None
