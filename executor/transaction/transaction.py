"""Transaction: stage all wheels of a run, then change the environment in one commit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from time import perf_counter

from executor.budget.budget import Budget
from executor.environment.changes import Changes
from executor.environment.installed import Installed, installed_distributions
from executor.environment.schemes import Schemes
from executor.environment.uninstall import shared_paths
from executor.files.path_set import PathSet
from executor.files.writer import FileWriter
from executor.lanes.signals import held_back
from executor.lock.step import Step
from executor.report.report import Staged
from executor.report.reporter import Reporter
from executor.report.timing import Timing
from executor.sources.origins import Origins
from executor.transaction.collisions import refuse_collisions
from executor.transaction.commit import apply, moves_of, removal_of
from executor.transaction.disk_check import check_moves
from executor.transaction.journal import Journal, Move
from executor.transaction.run_log import RunLog
from executor.transaction.stager import Build, Stager
from executor.transaction.staging import StagedWheels, Staging
from executor.wheels.rules import Rules
from schemas.errors import BuildFailed, Interrupted, NetworkError, NotEnough

__all__ = ["Transaction"]


_NO_FAULT_OF_THE_WHEELS = (NetworkError, NotEnough, BuildFailed)
"""What ends a run and leaves the wheels that are complete for the next one. A wheel that is refused
leaves none; nor does an OSError: on a full disk they would only keep it so."""


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
            stager = self._stager(budget, log)
            staged, spent, names = stager.stage_all(changes.install, budget, last)
            # By name, so that where the last may win, it is the last by name.
            order = sorted(range(len(names)), key=lambda number: changes.install[number].name)
            wheels = StagedWheels(staging, [names[number] for number in order])
            gone = (path for found in changes.remove for path in found.files())
            check_moves(self._moves(wheels), journal.folder, self.schemes, gone)
        except (Interrupted, *_NO_FAULT_OF_THE_WHEELS) as end:
            if complete := staging.complete_names():
                log.ended(end)
                journal.leave([*complete, os.path.basename(log.path)])
                end.left = (
                    "the environment is as it was before; for the next run, complete wheels wait "
                    f"in {journal.folder}: {len(complete)}"
                )
            raise
        began = perf_counter()
        self._commit(changes.remove, wheels, log, last)
        return staged, spent + Timing(committing=perf_counter() - began)

    def _stager(self, budget: Budget, log: RunLog) -> Stager:
        is_awaited = self.journal.is_durable and not budget.keeps_files
        return Stager(
            staging=self.staging,
            schemes=self.schemes,
            origins=self.origins,
            lock_folder=self.lock_folder,
            rules=self.rules,
            reporter=self.reporter,
            log=log,
            writer=FileWriter(budget.window, is_awaited=is_awaited, has_batches=budget.has_batches),
            build=self.build,
        )

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
