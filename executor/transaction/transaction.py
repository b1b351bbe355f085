"""Transaction: stage all wheels of a run, then change the environment in one commit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import chain
from time import perf_counter
from typing import TypeVar

from executor.budget.budget import Budget
from executor.environment.changes import Changes
from executor.environment.installed import Installed, installed_distributions
from executor.environment.schemes import Schemes
from executor.environment.uninstall import shared_paths
from executor.files.path_set import PathSet
from executor.files.writer import FileWriter
from executor.lanes.lanes import Work, run_lanes
from executor.lanes.signals import held_back
from executor.lock.step import Step
from executor.report.report import Staged
from executor.report.reporter import Reporter
from executor.report.timing import Timing
from executor.sources.acquire import acquire
from executor.sources.client import HttpClient
from executor.sources.origins import Origins
from executor.transaction.collisions import refuse_collisions
from executor.transaction.commit import apply, moves_of, removal_of
from executor.transaction.disk_check import check_moves
from executor.transaction.journal import Journal, Move
from executor.transaction.run_log import RunLog
from executor.transaction.staging import StagedWheels, Staging
from executor.wheels.direct_url import installer_metadata
from executor.wheels.rules import Rules
from executor.wheels.staged_wheel import StagedWheel
from executor.wheels.unpack import StageOptions, stage_wheel
from schemas.errors import BuildFailed, Interrupted, NetworkError, NotEnough
from schemas.zipformat import CentralEntry

__all__ = ["Build", "Transaction", "timed"]


R = TypeVar("R")


def timed(work: Work[R], cache: FileWriter) -> Work[tuple[R, Timing]]:
    """``work`` of a lane that writes through ``cache``, with the time it took."""

    def call(
        number: int, step: Step, client: HttpClient, wrote: Callable[[int], None]
    ) -> tuple[R, Timing]:
        began, waited, written = perf_counter(), client.waited, cache.seconds
        result = work(number, step, client, wrote)
        network, writing = client.waited - waited, cache.seconds - written
        return result, Timing(network, writing, perf_counter() - began - network - writing)

    return call


_NO_FAULT_OF_THE_WHEELS = (NetworkError, NotEnough, BuildFailed)
"""What ends a run and leaves the wheels that are complete for the next one. A wheel that is refused
leaves none; nor does an OSError: on a full disk they would only keep it so."""


Build = Callable[[Step, HttpClient], Step]
"""The step of the wheel that is built of the source that a step names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What it takes to change one environment, whose journal is open."""

    journal: Journal
    schemes: Schemes
    origins: Origins
    lock_folder: str
    """What relative paths in the lock begin at."""
    rules: Rules
    last_wins: bool
    reporter: Reporter
    build: Build | None = None
    """Makes wheels of sources, where there are any."""

    @property
    def staging(self) -> Staging:
        """Where wheels are staged."""
        return Staging(self.journal.folder, self.schemes, self.rules)

    def resume(self) -> None:
        """Finish what an earlier run has committed, and tell what became of it. Raises OSError."""
        log = RunLog(self.journal.folder)
        last = log.last()
        apply(self.journal)
        if last is not None:
            self.reporter.warned(last)

    def missing(self, steps: Iterable[Step]) -> list[Step]:
        """The steps whose wheels no earlier run has left complete."""
        staging = self.staging
        return [step for step in steps if not staging.is_complete(staging.name(step))]

    def run(self, changes: Changes, budget: Budget, last: ExitStack) -> tuple[Staged, Timing]:
        """Make the changes; what was staged, and the time it took. ``last`` is closed when all else
        is: until then signals that ask to stop wait, from the commit on, and it waits for the lanes
        to end.

        Raises LockstreamError, OSError, Interrupted.
        """
        staging, journal = self.staging, self.journal
        names = [staging.name(step) for step in changes.install]
        journal.clear(keep=[name for name in names if staging.is_complete(name)])
        log = RunLog(journal.folder)
        log.begin(len(changes.install))
        try:
            staged, spent = self._stage(changes.install, names, budget, log, last)
            # By name, so that where the last may win, it is the last by name.
            order = sorted(range(len(names)), key=lambda number: changes.install[number].name)
            wheels = StagedWheels(staging, [names[number] for number in order])
            gone = (path for found in changes.remove for path in found.files())
            check_moves(self._moves(wheels), journal.folder, self.schemes, gone)
        except (Interrupted, *_NO_FAULT_OF_THE_WHEELS) as end:
            complete = [name for name in names if staging.is_complete(name)]
            if complete:
                log.ended(end)
                journal.keep = [*complete, os.path.basename(log.path)]
                end.left = (
                    "the environment is as it was before; for the next run, complete wheels wait "
                    f"in {journal.folder}: {len(complete)}"
                )
            raise
        began = perf_counter()
        self._commit(changes.remove, wheels, log, last)
        return staged, spent + Timing(committing=perf_counter() - began)

    def _stage(
        self,
        steps: Sequence[Step],
        names: list[str],
        budget: Budget,
        log: RunLog,
        last: ExitStack,
    ) -> tuple[Staged, Timing]:
        """What was staged, and the time it took. ``names`` are those of the folders of the steps;
        what is built has another one in the end.
        """
        # Each lane has its own copy.
        is_awaited = self.journal.is_durable and not budget.keeps_files
        cache = FileWriter(budget.window, is_awaited=is_awaited, has_batches=budget.has_batches)
        staging = self.staging

        def stage(
            _number: int,
            step: Step,
            client: HttpClient,
            wrote: Callable[[int], None],
            source: Step | None = None,
        ) -> StagedWheel:
            if (wheel := staging.find(step)) is not None:
                return replace(wheel, is_reused=True)
            log.note("begins", step.filename)
            origins = self.origins.origins(step, self.lock_folder)
            asked_for = self.origins.find(source, self.lock_folder) if source else origins[0]

            def unpack(
                folder: str, chunks: Iterable[bytes], directory: Iterable[CentralEntry] | None
            ) -> StagedWheel:
                options = StageOptions(
                    schemes=self.schemes,
                    metadata=installer_metadata(source or step, asked_for.url),
                    size=step.size,
                    directory=directory,
                    rules=self.rules,
                    writer=cache,
                    wrote=wrote,
                )
                return stage_wheel(step.filename, chunks, folder, options)

            wheel = acquire(step, origins, client, staging.path(step), unpack)
            staging.keep(step, wheel)
            log.note("staged", step.filename)
            return wheel

        def build(
            number: int, step: Step, client: HttpClient, wrote: Callable[[int], None]
        ) -> StagedWheel:
            assert self.build is not None
            return stage(number, self.build(step, client), client, wrote, step)

        def address(step: Step) -> str | None:
            """Where the wheel of a step will be fetched from, if it is."""
            return None if staging.is_complete(staging.name(step)) else self.origins.address(step)

        staged, spent = Staged(), Timing()
        fetched = [step for step in steps if step.source is None]
        built = steps[len(fetched) :]
        # One at a time, when nothing else is at work: a build takes what there is.
        results = chain(
            run_lanes(
                fetched,
                timed(stage, cache),
                self.origins.client(fetched),
                budget.lanes,
                self.reporter.wrote,
                address,
                last,
            ),
            run_lanes(
                built, timed(build, cache), self.origins.client(built), 1, self.reporter.wrote
            ),
        )
        with closing(cache):
            for number, (wheel, took) in enumerate(results):
                self.reporter.staged(number, steps[number], wheel)
                for warning in wheel.warnings:
                    self.reporter.warned(f"{wheel.filename}: {warning}")
                staged.add(wheel, steps[number].size)
                names[number] = os.path.basename(wheel.folder)
                spent += took
        return staged, spent

    def _commit(
        self,
        remove: Sequence[Installed],
        wheels: StagedWheels,
        log: RunLog,
        last: ExitStack,
    ) -> None:
        schemes, journal = self.schemes, self.journal
        folders = dict.fromkeys((schemes.purelib, schemes.platlib))
        installed = [found for folder in folders for found in installed_distributions(folder)]
        keep = sorted(shared_paths(remove, installed))
        refuse_collisions(
            wheels,
            schemes,
            journal.folder,
            going=PathSet(path for found in remove for path in found.files()),
            installed=[found for found in installed if found not in remove],
            last_wins=self.last_wins,
        )
        self.reporter.committing()
        last.enter_context(held_back())
        log.note("commits")
        journal.commit(
            chain(
                (removal_of(found, n, schemes, keep) for n, found in enumerate(remove)),
                self._moves(wheels),
            )
        )
        apply(journal)

    def _moves(self, wheels: StagedWheels) -> Iterator[Move]:
        return (m for wheel in wheels for m in moves_of(wheel, self.schemes, self.journal.folder))
