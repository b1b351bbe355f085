"""Admit an execution to the memory and the disk that are there, or refuse it.

A refusal names what is enough. What the lock does not tell is guessed, and counted in the wheels
themselves before a guess refuses anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from executor.budget.budget import Budget, Surface, decide_budget
from executor.budget.errors import BudgetTooSmall
from executor.environment.changes import Changes
from executor.files.errors import NoMemoryForFiles
from executor.install.options import ExecuteOptions
from executor.install.preflight import check_disk, surface_of
from executor.lock.step import Step
from executor.transaction.transaction import Transaction
from schemas.errors import ArtifactRefused, NetworkError

__all__ = ["admitted", "refuse_after"]


def admitted(changes: Changes, transaction: Transaction, options: ExecuteOptions) -> Budget:
    """Return the budget of an execution that has enough of everything.

    Raises NotEnoughDisk, NotEnoughInodes and BudgetTooSmall before anything is written.
    """
    schemes, missing = transaction.schemes, transaction.missing(changes.install)
    compiles = options.compile_files and bool(changes.install)
    if changes.install:
        check_disk(missing, schemes, compiles=compiles)
    is_secured = transaction.origins.speaks_tls(missing)
    surface = surface_of(schemes, missing, compiles=compiles, is_secured=is_secured)
    try:
        return _decide_budget(options, surface)
    except BudgetTooSmall as error:
        # A guess that is too large must not refuse, nor one that is too small be named as enough.
        can_read = error.limit.available >= error.needed
        if not (surface.is_memory and surface.is_guessed and can_read):
            raise
        if (counted := _counted(missing, transaction, options)) is None:
            raise
    return _decide_budget(options, counted)


def refuse_after(
    error: NoMemoryForFiles, changes: Changes, transaction: Transaction, options: ExecuteOptions
) -> None:
    """Raise BudgetTooSmall with what the files of the wheels really take, if that can be counted:
    they took more memory than was foreseen, and the run ended with ``error``.
    """
    missing = transaction.missing(changes.install)
    for step in missing:
        # What was staged of it is memory that the refusal would name as held by others.
        transaction.staging.discard(step)
    if counted := _counted(missing, transaction, options):
        try:
            _decide_budget(options, counted)
        except BudgetTooSmall as refusal:
            refusal.left = error.left
            raise


def _decide_budget(options: ExecuteOptions, surface: Surface) -> Budget:
    lanes = 1 if options.origins.come_once else options.lanes
    return decide_budget(options.memory, lanes, options.page_cache, surface=surface)


def _counted(
    steps: Sequence[Step], transaction: Transaction, options: ExecuteOptions
) -> Surface | None:
    """Return what the execution of ``steps`` writes to, with what their files really take in
    memory; None if that cannot be counted.
    """
    from executor.install.file_count import memory_of_files  # noqa: PLC0415  # rarely needed

    origins, folder, compiles = transaction.origins, transaction.lock_folder, options.compile_files
    if origins.come_once:
        return None
    with suppress(NetworkError, ArtifactRefused):
        counted = memory_of_files(steps, origins, folder, compiles=compiles)
        if counted is not None:
            return surface_of(
                transaction.schemes,
                steps,
                compiles=compiles,
                is_secured=origins.speaks_tls(steps),
                counted=counted,
            )
    return None
