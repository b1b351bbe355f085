"""Install: the walk from a lock to an environment that holds what it says.

lock -> packages -> selection -> changes (all checks; nothing written yet)
-> preflight (memory, disk) -> lanes: fetch -> unzip -> stage
-> all staged: collisions -> journal -> removals, moves -> report
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from executor.api import _builds
from executor.budget.budget import Budget, PageCachePolicy, decide_budget
from executor.budget.confinement import confined
from executor.budget.memory import charged_peak, rss_peak
from executor.environment import bytecode
from executor.environment.changes import Changes, Sync
from executor.environment.environment import Environment
from executor.environment.installed import installed_distributions
from executor.environment.schemes import Schemes
from executor.files.durability import Durability
from executor.files.mounts import file_system, has_journal, is_in_memory
from executor.install.preflight import check_disk
from executor.lanes.forks import apart
from executor.lock.options import Wanted
from executor.lock.step import folder_of
from executor.report.report import BuildReport, Report
from executor.report.reporter import Reporter
from executor.sources.origins import Places
from executor.transaction.errors import OutOfMemory, translated_os_error
from executor.transaction.journal import Journal
from executor.transaction.transaction import Transaction
from executor.wheels.rules import STRICT, Rules

if TYPE_CHECKING:
    from executor.api import Building

__all__ = ["execute"]


def execute(
    lock: str,
    environment: Environment,
    *,
    memory: int | None = None,
    lanes: int | None = None,
    wanted: Wanted | None = None,
    sync: Sync | None = None,
    places: Places | None = None,
    last_wins: bool = False,
    compile_files: bool = False,
    rules: Rules = STRICT,
    page_cache: PageCachePolicy = "auto",
    durability: Durability = "full",
    building: Building | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Make ``environment`` what the lock file ``lock`` selects for it.

    ``memory`` is the budget in bytes (None: what the surrounding cgroups leave), ``lanes`` how
    many wheels to work on at once (None: what suits the budget). ``wanted`` names extras and
    groups, ``sync`` says how far to go, ``places`` where files may come from. ``last_wins`` lets
    the later of two distributions, by name, have a path that both own; ``compile_files`` makes
    byte code of what is installed; ``rules`` say what to let pass of what wheels are refused for;
    ``page_cache`` says whether written files stay in memory (auto: not where it is limited, and
    large ones not where the disk is waited for); ``durability`` what an execution survives;
    ``building`` how builds are made, where ``wanted`` allows them. The environment changes only
    when everything is verified.

    Raises the errors of ``executor.errors`` and ``schemas``, all of them LockstreamError.
    """
    started = time.monotonic()
    charged_before = charged_peak()
    reporter = reporter or Reporter()
    places = places or Places()
    schemes = environment.interpreter.schemes
    transaction = Transaction(
        journal=Journal(schemes.purelib, durability),
        schemes=schemes,
        places=places,
        lock_folder=folder_of(lock),
        rules=rules,
        last_wins=last_wins,
        reporter=reporter,
    )
    journal = transaction.journal
    builds: list[BuildReport] = []
    try:
        # When everything else is closed, signals are let through again, and no budget is held to:
        # what reads the folders that it removes is charged for them.
        with ExitStack() as last, ExitStack() as held:
            if environment.exists:
                held.enter_context(journal.opened())
                # First of all: what is there now may be half of what a killed run had decided on.
                transaction.resume()
            # One that is made here brings its interpreter.
            if compile_files and environment.exists:
                bytecode.check_compiler(schemes.executable)
            changes = apart(partial(_decided, lock, environment, wanted, sync, places))
            files = check_disk(transaction.missing(changes.install), schemes)
            held_by_files = files if is_in_memory(schemes.purelib) else 0
            budget = decide_budget(
                memory,
                lanes,
                page_cache,
                held=held_by_files,
                file_system=file_system(schemes.purelib),
                has_journal=has_journal(schemes.purelib),
            )
            if sources := [step for step in changes.install if step.source]:
                build, builds = held.enter_context(
                    _builds(sources, environment, transaction, budget, building)
                )
                transaction = replace(transaction, build=build)
            reporter.selected(changes, budget)
            is_confined = last.enter_context(_held_to(memory, budget))
            if not environment.exists:
                held.enter_context(environment.made())
                held.enter_context(journal.opened())
                environment.settled()
            staged, spent = transaction.run(changes, budget, last)
        if compile_files:
            _compile(schemes, {step.name for step in changes.install})
    except MemoryError:
        raise OutOfMemory(journal.reached) from None
    except OSError as error:
        raise translated_os_error(error, environment.path, journal.reached) from error
    charged = charged_peak()
    return Report(
        environment=environment.path,
        target=str(environment.interpreter.target),
        installed=staged.wheels,
        removed=len(changes.remove),
        unchanged=len(changes.unchanged),
        files=staged.files,
        bytes_fetched=staged.bytes_fetched,
        bytes_installed=staged.bytes,
        verified_record=transaction.rules.verify_record,
        startup=tuple(staged.startup),
        warnings=tuple(staged.warnings),
        seconds=round(time.monotonic() - started, 3),
        spent=spent,
        lanes=budget.lanes,
        budget=budget.memory,
        budget_source=budget.source,
        rss_peak=rss_peak(),
        # Without a limit the group may be one that lives long, and its peak somebody else's.
        charged_peak=charged if budget.memory or charged != charged_before else None,
        is_confined=is_confined,
        builds=tuple(builds),
    )


def _decided(
    lock: str,
    environment: Environment,
    wanted: Wanted | None,
    sync: Sync | None,
    places: Places,
) -> Changes:
    """What to do. What a lock is read with is imported here, where it does not stay."""
    from executor.install.decide import decide  # noqa: PLC0415

    return decide(lock, environment, wanted=wanted, sync=sync, places=places)


@contextmanager
def _held_to(memory: int | None, budget: Budget) -> Iterator[bool]:
    """A budget that the user names is enforced where that is possible; yields whether it is."""
    if memory is None or budget.window is None:
        yield False
        return
    with confined(memory) as is_confined:
        yield is_confined


def _compile(schemes: Schemes, names: Collection[str]) -> None:
    folders = dict.fromkeys((schemes.purelib, schemes.platlib))
    installed = (found for folder in folders for found in installed_distributions(folder))
    bytecode.compile_files(
        schemes.executable,
        (path for found in installed if found.name in names for path in found.files()),
    )
