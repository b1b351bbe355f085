"""Targets of an existing lock that ``plan --merge-into`` adds others to."""

from __future__ import annotations

import os
from collections.abc import Iterable

from packaging.pylock import Pylock

from planner.lock.reader import read_lock
from planner.model.environments import VARIABLES
from schemas.errors import UsageError
from schemas.lock import recorded_targets
from schemas.target import Target

__all__ = ["read_merged", "with_targets_of"]


def read_merged(path: str, *, output: str | None, upgrade: bool) -> Pylock:
    """Read the lock at ``path``, which targets are to be added to. Raises UsageError."""
    if output not in {path, None}:
        raise UsageError(f"--merge-into writes {path}, and --output {output}", hint="name one")
    if upgrade:
        raise UsageError(
            "--merge-into keeps what the lock has, and --upgrade does not",
            hint="upgrade it first, on the machine that planned it; -P NAME upgrades one package",
        )
    if not os.path.exists(path):
        raise UsageError(
            f"--merge-into {path}: the file does not exist",
            hint="without it, plan -o writes a lock",
        )
    lock = read_lock(path)
    if not recorded_targets(lock):
        raise UsageError(
            f"{path} does not record its targets",
            hint="only locks that lockstream planned record them; plan one for all targets",
        )
    return lock


def with_targets_of(
    lock: Pylock, targets: Iterable[Target], *, are_named: bool
) -> tuple[Target, ...]:
    """Return the targets of ``lock``, then those of ``targets`` that it does not have.

    If the user did not name them (``are_named``), a target is left out if the lock already has one
    with the same marker variables.
    """
    recorded = recorded_targets(lock)
    environments = {_variables_of(target) for target in recorded}
    known = set(map(str, recorded))
    return (
        *recorded,
        *(
            target
            for target in targets
            if (
                str(target) not in known if are_named else _variables_of(target) not in environments
            )
        ),
    )


def _variables_of(target: Target) -> tuple[str, ...]:
    """Return the marker values by which a lock distinguishes environments."""
    return tuple(target.environment[name] for name in VARIABLES)
