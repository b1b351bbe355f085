"""Stage all wheels of a run, check them, then change the environment in one commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import chain
from time import perf_counter

from executor.budget.budget import Budget
from executor.budget.group_memory import PeakGauge
from executor.environment.changes import Changes
from executor.environment.installed import Installed, installed_in
from executor.environment.places import Places, Ways
from executor.environment.schemes import Schemes
from executor.environment.uninstall import removed_entries, shared_paths
from executor.files.allowance import Allowance
from executor.files.early_flush import EarlyFlush
from executor.files.held_folder import HeldFolder
from executor.files.path_set import PathSet
from executor.files.writer import FileWriter
from executor.lanes.signals import held_back
from executor.lock.step import Step
from executor.report.report import Staged
from executor.report.reporter import Reporter
from executor.sources.origins import Origins
from executor.transaction.collisions import refuse_collisions
from executor.transaction.commit import WheelMoves, apply, removal_of
from executor.transaction.disk_check import check_moves
from executor.transaction.journal import Journal
from executor.transaction.journal_entries import Move
from executor.transaction.landing import Landings, check_lengths
from executor.transaction.permission_check import PermissionCheck
from executor.transaction.run_log import RunLog
from executor.transaction.stager import Build, Stager
from executor.transaction.staging import Staging
from executor.wheels.rules import Rules
from schemas.data_class import frozen
from schemas.errors import (
    BuildFailed,
    Interrupted,
    LockstreamError,
    NetworkError,
    NotEnough,
    NotPermitted,
)

__all__ = ["Transaction"]


_NO_FAULT_OF_THE_WHEELS = (NetworkError, NotEnough, NotPermitted, BuildFailed)
"""Errors that end a run and leave complete wheels for the next one. A wheel that is refused leaves
none; nor does an OSError: on a full disk they would keep it full."""


@frozen(kw_only=True)
class Transaction:
    """The change of one environment by one execution, which owns it and opens its journal."""

    journal: Journal
    schemes: Schemes
    origins: Origins
    lock_folder: str
    """The folder that relative paths in the lock begin at."""
    rules: Rules
    last_wins: bool
    reporter: Reporter
    build: Build | None = None
    """Builds wheels, if any step has a source."""
    gauge: PeakGauge
    """Finds the peak of what is charged."""

    @property
    def staging(self) -> Staging:
        """Return the folder that wheels are staged in."""
        return Staging(self.journal.held, self.schemes, self.rules)

    def resume(self) -> None:
        """Finish what an earlier run has committed, and report what became of that run.

        Raises JournalRefused, StagingRefused and OSError.
        """
        with self.journal.inside() as held:
            last = RunLog(held).last()
        if self.journal.is_committed:
            # Of an interrupted run only.
            from executor.transaction.journal_check import check_journal  # noqa: PLC0415

            check_journal(self.journal, self.schemes)
        apply(self.journal, self.schemes.roots)
        if last is not None:
            self.reporter.warned(last)

    def missing(self, steps: Iterable[Step]) -> list[Step]:
        """Return the steps whose wheels no earlier run has left complete."""
        staging = self.staging
        return [step for step in steps if not staging.is_complete(staging.name(step))]

    def run(self, changes: Changes, budget: Budget, last: ExitStack) -> tuple[Staged, float]:
        """Make the changes, and return the sums over the staged wheels and the seconds to commit.

        From the commit on, signals that stop the program wait until ``last`` is closed, which also
        waits for the lanes to end. Raises LockstreamError, OSError and Interrupted.
        """
        staging, journal = self.staging, self.journal
        names = map(staging.name, changes.install)
        left = frozenset(name for name in names if staging.is_complete(name))
        journal.clear(left)
        # Closed before the folder is removed: what is open keeps its name on NFS and FUSE.
        with closing(RunLog(self._held)) as log:
            log.begin(len(changes.install))
            try:
                with self._early_flush(budget) as early:
                    stager = self._stager(staging, left, budget, log, early)
                    staged, arrivals = stager.stage_all(changes.install, budget, last)
                    early.finish()
                    arrivals = _by_name(changes.install, arrivals)
                    began = perf_counter()
                    self.reporter.recorder.event("commit", step="checks")
                    keep = self._check(changes.remove, arrivals, budget)
            except (Interrupted, *_NO_FAULT_OF_THE_WHEELS) as end:
                self._leave_wheels(end, log)
                raise
            self._commit(changes.remove, arrivals, keep, log, last)
            return staged, perf_counter() - began

    def _leave_wheels(self, end: LockstreamError | Interrupted, log: RunLog) -> None:
        """Leave the complete wheels for the next run, and let what ended this one say so."""
        if complete := self.staging.complete_names():
            log.ended(end)
            self.journal.leave([*complete, log.name])
            end.left = (
                "the environment is as it was before; for the next run, complete wheels "
                f"wait in {self.journal.folder}: {len(complete)}"
            )

    def _early_flush(self, budget: Budget) -> EarlyFlush:
        # If memory is limited, the lanes wait for the disk themselves, after each window.
        is_on = self.journal.is_durable and budget.window is None
        return EarlyFlush(self.journal.folder, is_on=is_on)

    def _stager(
        self,
        staging: Staging,
        left: frozenset[str],
        budget: Budget,
        log: RunLog,
        early: EarlyFlush,
    ) -> Stager:
        is_awaited = self.journal.is_durable and not budget.keeps_files
        allowance = None
        if budget.files is not None:
            allowance = Allowance(budget.files, compiles=budget.compiler_data is not None)
        return Stager(
            staging=staging,
            left=left,
            schemes=self.schemes,
            origins=self.origins,
            lock_folder=self.lock_folder,
            rules=self.rules,
            reporter=self.reporter,
            log=log,
            writer=FileWriter(
                budget.window,
                is_awaited=is_awaited,
                has_batches=budget.has_batches,
                allowance=allowance,
            ),
            history=budget.history,
            build=self.build,
            gauge=self.gauge,
            early=early,
        )

    def _check(
        self, remove: Sequence[Installed], arrivals: Sequence[WheelMoves], budget: Budget
    ) -> list[str]:
        """Check that the commit can be finished, and return the entries that it must not remove,
        because distributions that stay own them too.

        Raises FileConflict, NotChangeable, NotEnoughDisk, NotEnoughInodes, BudgetTooSmall and
        OSError.
        """
        schemes, staging = self.schemes, self._held
        ways = Ways(schemes.roots)
        installed = list(installed_in(schemes.packages))
        leaving = {found.path for found in remove}
        staying = [found for found in installed if found.path not in leaving]
        keep = sorted(shared_paths(remove, staying, schemes.roots))
        check, places, going = PermissionCheck(schemes, ways), Places(), PathSet()
        for found in remove:
            check.moves_away(found.path)
        for entry in _going(remove, keep, ways):
            check.goes(entry)
            going.add(places.key(entry))
        check_lengths(_moves(arrivals), staging)
        landings = Landings(_moves(arrivals), staging, ways)
        refuse_collisions(
            arrivals, landings, ways, staging,
            going=going, installed=staying, last_wins=self.last_wins,
        )  # fmt: skip
        arriving = check.arriving(landings, going)
        check_moves(arriving, staging, _going(remove, keep, ways), budget)
        return keep

    def _commit(
        self,
        remove: Sequence[Installed],
        arrivals: Sequence[WheelMoves],
        keep: Sequence[str],
        log: RunLog,
        last: ExitStack,
    ) -> None:
        schemes, journal = self.schemes, self.journal
        record = self.reporter.recorder
        try:
            self.reporter.committing()
            last.enter_context(held_back())
            log.note("commits")
            record.event("commit", step="journal")
            journal.commit(
                chain(
                    (removal_of(found, n, schemes, keep) for n, found in enumerate(remove)),
                    _moves(arrivals),
                )
            )
            record.event("commit", step="moves")
            apply(journal, schemes.roots)
            record.event("commit", step="done")
        except (LockstreamError, OSError) as end:
            # The next run reports it. That the log cannot be written is no fault to report.
            with suppress(OSError):
                log.ended(end)
            raise

    @property
    def _held(self) -> HeldFolder:
        """Return the open folder of the journal."""
        assert self.journal.held is not None  # the caller of a transaction has opened it
        return self.journal.held


def _going(remove: Sequence[Installed], keep: Sequence[str], ways: Ways) -> Iterator[str]:
    """Yield the entries that the commit removes."""
    places = Places()
    kept = frozenset(map(places.key, keep))
    for found in remove:
        for entry in removed_entries(found, ways):
            if not kept or places.key(entry) not in kept:
                yield entry


def _by_name(steps: Sequence[Step], arrivals: Sequence[WheelMoves]) -> list[WheelMoves]:
    """Return the arrivals of ``steps`` by name, so that where the last may win, it is the last by
    name.
    """
    order = sorted(range(len(arrivals)), key=lambda number: steps[number].name)
    return [arrivals[number] for number in order]


def _moves(arrivals: Sequence[WheelMoves]) -> list[Move]:
    return [move for arrival in arrivals for move in arrival.moves]
