"""``plan --merge-into``: a machine adds its own target, and what it builds, to a lock of others."""

from __future__ import annotations

import os
from collections.abc import Iterable

from packaging.pylock import Pylock

from planner.lock.reader import read_lock
from planner.model.environments import VARIABLES, recorded_targets
from schemas.errors import UsageError
from schemas.target import Target

__all__ = ["read_merged", "with_targets_of"]


def read_merged(path: str, *, output: str, upgrade: bool) -> Pylock:
    """The lock at ``path``, which others will be added to. Raises UsageError."""
    if output not in {path, "pylock.toml"}:
        raise UsageError(f"--merge-into writes {path}, and --output {output}", hint="name one")
    if upgrade:
        raise UsageError(
            "--merge-into keeps what the lock has, and --upgrade does not",
            hint="upgrade it first, where it was planned; -P NAME chooses anew for one package",
        )
    if not os.path.exists(path):
        raise UsageError(
            f"--merge-into {path}: there is no such lock", hint="without it, plan -o writes one"
        )
    lock = read_lock(path)
    if not recorded_targets(lock):
        raise UsageError(
            f"{path} does not tell which targets it is for",
            hint="only locks that lockstream planned tell; plan one for all targets instead",
        )
    return lock


def with_targets_of(
    lock: Pylock, targets: Iterable[Target], *, are_named: bool
) -> tuple[Target, ...]:
    """Those of ``lock``, then those of ``targets`` that are others; of targets that nobody named
    (this machine), only what the lock has nothing for.
    """
    recorded = recorded_targets(lock)
    places = {_place(target) for target in recorded}
    known = set(map(str, recorded))
    return (
        *recorded,
        *(
            target
            for target in targets
            if (str(target) not in known if are_named else _place(target) not in places)
        ),
    )


def _place(target: Target) -> tuple[str, ...]:
    """What a lock tells environments apart by."""
    return tuple(target.environment[name] for name in VARIABLES)
