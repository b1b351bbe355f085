"""The walk from a lock to an environment that is what the lock says.

lock -> packages -> selection -> changes (all checks; nothing written yet)
-> preflight (memory, disk) -> lanes: fetch -> unzip -> stage
-> all staged: collisions -> journal -> removals, moves -> report
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from executor.archive.inflate import INFLATER
from executor.budget.budget import Budget, check_least
from executor.budget.group_memory import PeakGauge
from executor.budget.memory import MEMORY_OPTION, rss_peak
from executor.environment.changes import Changes
from executor.environment.environment import Environment
from executor.environment.installed import installed_in
from executor.environment.schemes import Schemes
from executor.files.errors import NoMemoryForFiles
from executor.install.admission import admitted, refuse_after
from executor.install.builder import OpenBuilder, WheelBuilder
from executor.install.decision import Decision
from executor.install.options import ExecuteOptions
from executor.install.preflight import surface_of
from executor.install.run_events import (
    figures_of,
    record_changes,
    record_limits,
    recorded,
)
from executor.lanes.forks import run_in_fork
from executor.lock.step import Step, folder_of
from executor.report.report import Report, Staged
from executor.report.reporter import Reporter
from executor.report.timing import Timing
from executor.sources.origins import Origins
from executor.transaction.errors import OutOfMemory, translated_os_error
from executor.transaction.journal import Journal
from executor.transaction.transaction import Transaction
from schemas.credentials import has_named_logins
from schemas.data_class import frozen

if TYPE_CHECKING:
    from executor.sources.client import HttpClient

__all__ = ["install"]


def install(
    lock: str,
    environment: Environment,
    options: ExecuteOptions,
    *,
    decision: Decision | None = None,
    open_builder: OpenBuilder | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Make ``environment`` what the lock file ``lock`` selects for it.

    ``decision`` is made of the same arguments, and may be ahead. ``open_builder`` opens a builder
    for packages that have no wheel; it is required only if ``options.select`` allows builds.

    Raises LockstreamError: each room of the executor has its subclasses in ``errors``.
    """
    reporter = reporter or Reporter()
    with (
        recorded(reporter.recorder, lock, environment, options) as end,
        closing(PeakGauge()) as gauge,
    ):
        decision = decision or Decision(lock, environment, options)
        transaction = _transaction(lock, environment, options, reporter, gauge)
        report = _install(decision, environment, options, transaction, open_builder)
        end.update(figures_of(report))
    return report


def _install(
    decision: Decision,
    environment: Environment,
    options: ExecuteOptions,
    transaction: Transaction,
    open_builder: OpenBuilder | None,
) -> Report:
    started = time.monotonic()
    journal = transaction.journal
    try:
        done = _run(decision, environment, options, transaction, open_builder)
        if options.compile_files:
            names = {step.name for step in done.changes.install}
            _compile(transaction.schemes, names, done.budget)
    except MemoryError:
        raise OutOfMemory(journal.reached) from None
    except OSError as error:
        raise translated_os_error(error, environment.path, journal.reached) from error
    options.origins.drain()
    peak = transaction.gauge.peak()
    staged, budget = done.staged, done.budget
    return Report(
        environment=environment.path,
        target=str(environment.interpreter.target),
        installed=staged.wheels,
        removed=len(done.changes.remove),
        unchanged=len(done.changes.unchanged),
        files=staged.files,
        bytes_fetched=staged.bytes_fetched,
        bytes_installed=staged.bytes,
        verified_record=transaction.rules.verify_record,
        startup=tuple(staged.startup),
        warnings=tuple(staged.warnings),
        seconds=round(time.monotonic() - started, 3),
        spent=staged.spent + Timing(committing=done.committing),
        lanes=budget.lanes,
        budget=budget.memory,
        budget_source=budget.source,
        rss_peak=rss_peak(),
        charged_peak=peak.bytes if peak else None,
        charged_before=peak.before if peak else None,
        is_sampled=peak.is_sampled if peak else False,
        inflater=INFLATER,
        is_confined=done.is_confined,
        builds=tuple(done.builder.reports) if done.builder else (),
        packages=tuple(staged.packages),
    )


@frozen
class _Done:
    """What one run decided and did, for its report."""

    changes: Changes
    budget: Budget
    is_confined: bool
    builder: WheelBuilder | None
    staged: Staged
    committing: float
    """Seconds."""


def _transaction(
    lock: str,
    environment: Environment,
    options: ExecuteOptions,
    reporter: Reporter,
    gauge: PeakGauge,
) -> Transaction:
    schemes = environment.interpreter.schemes
    return Transaction(
        journal=Journal(schemes.purelib, options.durability),
        schemes=schemes,
        origins=options.origins,
        lock_folder=folder_of(lock),
        rules=options.rules,
        last_wins=options.last_wins,
        reporter=reporter,
        gauge=gauge,
    )


def _run(
    decision: Decision,
    environment: Environment,
    options: ExecuteOptions,
    transaction: Transaction,
    open_builder: OpenBuilder | None,
) -> _Done:
    journal = transaction.journal
    # Closed last: signals are let through again, and the budget is no longer enforced, because
    # removing folders reads them, which the kernel charges.
    with ExitStack() as last, ExitStack() as held:
        transaction.schemes.check()
        # An environment that is made here brings its interpreter.
        exists = environment.exists
        if options.compile_files and exists:
            from executor.environment import bytecode  # noqa: PLC0415  # an option alone needs it

            bytecode.check_compiler(transaction.schemes.executable)
        surface = surface_of(transaction.schemes, compiles=options.compile_files)
        check_least(options.memory, surface)
        changes = _opened(transaction, decision, held) if exists else decision.changes()
        for remark in changes.remarks(options.sync):
            transaction.reporter.warned(remark)
        # The fork that read the lock has ended; before, what it held was that of others.
        record_limits(transaction.reporter.recorder, options.memory)
        budget = admitted(changes, transaction, options)
        if changes.is_empty and exists:
            _selected(transaction.reporter, changes, budget)
            return _Done(changes, budget, False, None, Staged(), 0.0)
        transaction = replace(transaction, origins=_with_index_names(decision.lock, options))
        builder = None
        if sources := [step for step in changes.install if step.source]:
            assert open_builder is not None
            builder = open_builder(
                environment, transaction.origins, transaction.lock_folder, transaction.reporter
            )
            builder.check(sources, budget)
            held.callback(builder.close)
            transaction = replace(transaction, build=partial(_build, builder, budget))
        _selected(transaction.reporter, changes, budget)
        is_confined = last.enter_context(_held_to(options.memory, budget, transaction.gauge))
        if (outside := transaction.gauge.outside) is not None:
            transaction.reporter.recorder.event("confined", before=outside)
        if not exists:
            held.enter_context(environment.made())
            held.enter_context(journal.opened())
            environment.settled()
        try:
            staged, committing = transaction.run(changes, budget, last)
        except NoMemoryForFiles as error:
            refuse_after(error, changes, transaction, options)
            raise
    return _Done(changes, budget, is_confined, builder, staged, committing)


def _selected(reporter: Reporter, changes: Changes, budget: Budget) -> None:
    record_changes(reporter.recorder, changes, budget)
    reporter.selected(changes, budget)


def _opened(transaction: Transaction, decision: Decision, held: ExitStack) -> Changes:
    """Return the changes of an environment that exists, with its journal open if there are any.

    An environment that is right is not written to: it may be read-only, or belong to another user.
    """
    journal, changes = transaction.journal, None
    if journal.is_absent:
        changes = decision.changes()
        if changes.is_empty:
            return changes
    try:
        held.enter_context(journal.opened())
    except PermissionError:
        if changes is not None or not (changes := decision.changes()).is_empty:
            raise
        transaction.reporter.warned(
            f"{journal.folder}: cannot be read; a run of another user may be unfinished"
        )
        return changes
    # First of all: what is there now may be half of what a killed run had decided on.
    transaction.resume()
    if changes is None or decision.is_outdated:
        changes = decision.changes()
    return changes


def _with_index_names(lock: str, options: ExecuteOptions) -> Origins:
    """Return the origins, with the names of the lock's indexes if a login has such a name."""
    if not has_named_logins(os.environ) or options.select.no_deps:
        return options.origins
    return replace(options.origins, indexes=run_in_fork(partial(_named_indexes, lock)))


def _named_indexes(lock: str) -> tuple[str, ...]:
    from executor.install.decide import named_indexes  # noqa: PLC0415  # in a fork, as above

    return named_indexes(lock)


def _build(builder: WheelBuilder, budget: Budget, step: Step, client: HttpClient) -> Step:
    return builder.make(step, client, budget)


@contextmanager
def _held_to(memory: int | None, budget: Budget, gauge: PeakGauge) -> Iterator[bool]:
    """Enforce a budget that the user named, if that is possible; yield whether it is."""
    # A tighter limit of the container is enforced already.
    if memory is None or budget.window is None or budget.source != MEMORY_OPTION:
        yield False
        return
    from executor.budget.confinement import confined  # noqa: PLC0415  # an option alone needs it

    with confined(memory, gauge) as is_confined:
        yield is_confined


def _compile(schemes: Schemes, names: Collection[str], budget: Budget) -> None:
    from executor.environment import bytecode  # noqa: PLC0415  # an option alone needs it

    bytecode.compile_files(
        schemes.executable,
        (
            path
            for found in installed_in(schemes.packages)
            if found.name in names
            for path in found.files()
        ),
        budget.compiler_data,
    )
