"""What a lock records of its own making: where its requirements are, and its targets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from packaging.pylock import Pylock

from planner.inputs.inputs import Inputs
from planner.inputs.provenance import Provenance, read_inputs
from planner.inputs.targets import choose_targets
from planner.model.environments import recorded_targets
from schemas.errors import UsageError
from schemas.hints import TOOL_NAME
from schemas.target import Target

__all__ = ["recorded_inputs", "recorded_sources", "targets_of"]


def targets_of(
    lock: Pylock, python_versions: Sequence[str] = (), platforms: Sequence[str] = ()
) -> tuple[Target, ...]:
    """Return the targets that are named, else those of ``lock``, else the running interpreter."""
    recorded = recorded_targets(lock)
    if python_versions or platforms or not recorded:
        return choose_targets(python_versions, platforms)
    return recorded


def recorded_inputs(lock: Pylock, path: str) -> Inputs:
    """Read the inputs of the lock at ``path`` as they are now.

    Raises UsageError if the lock does not record where they are, and what ``read_inputs`` raises.
    """
    return read_inputs(recorded_sources(lock, path), environment=os.environ)


def recorded_sources(lock: Pylock, path: str) -> Provenance:
    """Return where the inputs of the lock at ``path`` are.

    Raises UsageError if the lock does not record it.
    """
    table = (lock.tool or {}).get(TOOL_NAME)
    recorded = table.get("inputs") if isinstance(table, Mapping) else None
    sources = Provenance.from_table(recorded, os.path.dirname(path))
    if sources is None:
        raise UsageError(
            f"{path} does not record where its requirements are",
            hint="only locks that lockstream planned from files record it",
        )
    return sources
