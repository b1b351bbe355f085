"""Stage the wheels of one transaction: fetched ones in several lanes, then built ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from executor.budget.budget import Budget, History
from executor.budget.group_memory import PeakGauge
from executor.budget.processors import usable_processors
from executor.environment.schemes import Schemes
from executor.files.early_flush import EarlyFlush
from executor.files.held_folder import HeldFolder
from executor.files.writer import FileWriter
from executor.lanes.lanes import Work, run_lanes
from executor.lock.step import Step
from executor.report.effort import Effort
from executor.report.report import PackageFigures, Staged
from executor.report.reporter import Reporter
from executor.sources.acquire import acquire
from executor.sources.origins import Origins
from executor.transaction.commit import WheelMoves, moves_of
from executor.transaction.run_log import RunLog
from executor.transaction.staging import Staging
from executor.wheels.direct_url import installer_metadata
from executor.wheels.rules import Rules
from executor.wheels.staged_wheel import StagedWheel
from executor.wheels.unpack import StageOptions, stage_wheel
from schemas.data_class import frozen
from schemas.zipformat import CentralEntry

if TYPE_CHECKING:
    from executor.sources.client import HttpClient

__all__ = ["Build", "Stager", "measured", "outlasting_steps"]


Build = Callable[[Step, "HttpClient"], Step]
"""Builds the source of a step, and returns the step of the built wheel."""


def measured(
    work: Callable[[Step, HttpClient, Callable[[int], None], Effort], StagedWheel],
    writer: FileWriter,
    reporter: Reporter,
) -> Work[tuple[StagedWheel, PackageFigures]]:
    """Return ``work`` of a lane that writes with ``writer``, with the figures of each wheel."""

    def call(
        _number: int, step: Step, client: HttpClient, wrote: Callable[[int], None]
    ) -> tuple[StagedWheel, PackageFigures]:
        effort = Effort(step, client, writer, reporter.recorder, reporter.board)
        try:
            wheel = work(step, client, wrote, effort)
        except Exception as error:
            effort.failed(error)
            raise
        return wheel, effort.staged(wheel)

    return call


def outlasting_steps(steps: Sequence[Step], lanes: int, processors: int) -> frozenset[str]:
    """Return the file names of the steps, in their order, during which a processor is free: there
    are more of them than ``lanes``, or the other lanes have too little left to last as long.
    """
    if processors == 1:
        return frozenset()
    found = set[str]()
    left = sum(step.size or 0 for step in steps)
    for step in steps:
        size = step.size or 0
        left -= size
        if lanes < processors or size * (lanes - 1) >= left:
            found.add(step.filename)
    return frozenset(found)


@frozen(kw_only=True)
class Stager:
    """The stage of one transaction, which owns it: fetches or builds wheels, and unpacks them."""

    staging: Staging
    left: frozenset[str]
    """Names of folders of complete wheels that an earlier run has left."""
    schemes: Schemes
    origins: Origins
    lock_folder: str
    """The folder that relative paths in the lock begin at."""
    rules: Rules
    reporter: Reporter
    log: RunLog
    writer: FileWriter
    """Writes the files; each lane has a copy of its own."""
    history: History | None
    """What each lane may hold of the contents of a member; None for no limit."""
    build: Build | None
    """Builds wheels, if any step has a source."""
    gauge: PeakGauge
    """Is given a sample of the memory now and then."""
    early: EarlyFlush
    """Is called when something was written."""

    def stage_all(
        self, steps: Sequence[Step], budget: Budget, last: ExitStack
    ) -> tuple[Staged, list[WheelMoves]]:
        """Stage the wheel of every step, in fixed order; those with a source come last.

        Return the sums, and what the commit has to know of each wheel. When ``last`` is closed it
        waits for the lanes to end. Raises LockstreamError, OSError and Interrupted.
        """
        staged, arrivals = Staged(), list[WheelMoves]()
        with closing(self.writer):
            for number, (wheel, figures) in enumerate(self._results(steps, budget, last)):
                self.reporter.staged(number, steps[number], wheel)
                for warning in wheel.warnings:
                    self.reporter.warned(f"{wheel.filename}: {warning}")
                staged.add(wheel, figures)
                moves = moves_of(wheel, self.schemes, self.staging.folder)
                # The text of the step, if it is the same, so that there is one.
                known = steps[number].filename
                filename = known if known == wheel.filename else wheel.filename
                arrivals.append(WheelMoves(filename, tuple(moves)))
        return staged, arrivals

    def _results(
        self, steps: Sequence[Step], budget: Budget, last: ExitStack
    ) -> Iterator[tuple[StagedWheel, PackageFigures]]:
        fetched = [step for step in steps if step.source is None]
        built = steps[len(fetched) :]
        outlasting = outlasting_steps(fetched, budget.lanes, usable_processors())
        client, report = self.origins.client, self.reporter

        def wrote(size: int) -> None:
            self.reporter.wrote(size)
            self.gauge.sample()
            self.early.wrote()

        return chain(
            run_lanes(
                fetched,
                measured(partial(self._fetch, outlasting), self.writer, report),
                client(fetched, lanes=budget.lanes, is_roomy=budget.is_roomy),
                budget.lanes,
                wrote,
                self._address,
                last,
            ),
            # One at a time, when nothing else is at work: a build may take all of the machine.
            run_lanes(built, measured(self._build, self.writer, report), client(built), 1, wrote),
        )

    def _fetch(
        self,
        outlasting: frozenset[str],
        step: Step,
        client: HttpClient,
        wrote: Callable[[int], None],
        effort: Effort,
    ) -> StagedWheel:
        self.writer.has_spare_processor = step.filename in outlasting
        return self._stage(step, step, client, wrote, effort)

    def _build(
        self, step: Step, client: HttpClient, wrote: Callable[[int], None], effort: Effort
    ) -> StagedWheel:
        assert self.build is not None
        self.writer.has_spare_processor = True
        return self._stage(self.build(step, client), step, client, wrote, effort)

    def _stage(
        self,
        step: Step,
        locked: Step,
        client: HttpClient,
        wrote: Callable[[int], None],
        effort: Effort,
    ) -> StagedWheel:
        """Stage the wheel of ``step``, unless an earlier run has; ``locked`` is the step of the
        lock, which for a built wheel names its source.
        """
        name = self.staging.name(step)
        if name in self.left and (found := self.staging.find(step)) is not None:
            return replace(found, is_reused=True)
        self.log.note("begins", step.filename)
        origins = self.origins.origins(step, self.lock_folder)
        origin = origins[0] if locked is step else self.origins.find(locked, self.lock_folder)

        def unpack(
            folder: HeldFolder, chunks: Iterable[bytes], directory: Iterable[CentralEntry] | None
        ) -> StagedWheel:
            options = StageOptions(
                schemes=self.schemes,
                metadata=installer_metadata(locked, origin.url),
                size=step.size,
                directory=directory,
                history=self.history,
                rules=self.rules,
                writer=self.writer,
                wrote=wrote,
            )
            if self.reporter.recorder.is_on or self.reporter.board:
                chunks = effort.chunks(chunks, origin.name)
            wheel = stage_wheel(step.filename, chunks, folder, options)
            effort.written(wheel)
            self.staging.keep(folder, wheel)
            return wheel

        wheel = acquire(
            step,
            origins,
            client,
            partial(self.staging.make, name),
            unpack,
            in_thread=self.writer.has_thread_for(step.size),
        )
        self.log.note("staged", step.filename)
        return wheel

    def _address(self, step: Step) -> str | None:
        """Return the URL that the wheel of ``step`` will be fetched from, or None if it is staged
        already or is a local file.
        """
        if self.left and self.staging.name(step) in self.left:
            return None
        return self.origins.address(step)
