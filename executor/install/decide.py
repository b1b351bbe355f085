"""Decide what has to change in an environment, without writing or fetching anything.

Only this module imports the readers of locks; it runs in a fork (``lanes.forks``), so that their
memory is freed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from executor.environment.changes import Changes, Sync, decide_changes
from executor.environment.environment import Environment, PathName
from executor.environment.uninstall import check_removal
from executor.lock.options import SelectOptions
from executor.lock.reader import LockReader
from executor.lock.selection import Selector
from executor.lock.step import Step, fixed_order, folder_of
from executor.sources.errors import Offline
from executor.sources.origins import Origins
from schemas.hints import tool_value
from schemas.text import lock_command

if TYPE_CHECKING:
    from executor.environment.drift import Drift

__all__ = ["decide", "named_indexes", "selected_steps", "verify_environment"]


def decide(
    lock: PathName,
    environment: Environment,
    *,
    select: SelectOptions | None = None,
    sync: Sync | None = None,
    origins: Origins | None = None,
) -> Changes:
    """Return the changes that ``execute`` would make with the same arguments.

    Nothing is written or fetched. Raises LockstreamError.
    """
    lock, schemes = os.fspath(lock), environment.interpreter.schemes
    remarks: list[str] = []
    steps, skipped = selected_steps(lock, environment, select, remarks.append)
    changes = decide_changes(steps, schemes, sync or Sync(), skipped)
    for found in changes.remove:
        check_removal(found, schemes.roots)
    try:
        (origins or Origins()).check(changes.install, folder_of(lock))
    except Offline as error:
        # Of another lock, or for the targets that the lock records, it may get other files.
        target = environment.interpreter.target
        python = target.python_name.replace("+", "")
        named = f"--python-version {python} --platform {target.platform}"
        error.command = f"{lock_command('fetch', lock)} {named}"
        raise
    return replace(changes, lock_remarks=tuple(remarks)) if remarks else changes


def verify_environment(
    lock: PathName,
    environment: Environment,
    *,
    select: SelectOptions | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> tuple[int, Iterator[Drift]]:
    """Return how many packages the lock file ``lock`` selects for ``environment``, and an iterator
    of the differences between the two, file by file. ``warn`` is called with what is odd about the
    lock.

    Raises LockstreamError.
    """
    from executor.environment.drift import find_drift  # noqa: PLC0415  # not for an execution
    from executor.install.inspection import inspect  # noqa: PLC0415

    steps, skipped = selected_steps(os.fspath(lock), environment, select, warn)
    schemes = environment.interpreter.schemes
    if not os.path.exists(environment.path):
        warn(f"there is no environment at {environment.path}")
    names = frozenset(step.name for step in steps)
    return len(steps), _once(chain(find_drift(steps, schemes, skipped), inspect(schemes, names)))


def _once(drifts: Iterable[Drift]) -> Iterator[Drift]:
    """Yield each difference once: commands in a folder of packages are looked at as both."""
    seen = set[int]()
    for drift in drifts:
        if (mark := hash(drift)) not in seen:
            seen.add(mark)
            yield drift


def named_indexes(lock: str) -> tuple[str, ...]:
    """Return the indexes that the lock was planned with and that have a name, as ``NAME=URL``.

    They are a hint that another locker does not write. Raises what ``LockReader`` raises.
    """
    found = tool_value(LockReader(lock).header.tool, "policy", "indexes")
    places = found if isinstance(found, list) else []
    return tuple(place for place in places if isinstance(place, str) and "=" in place)


def selected_steps(
    lock: str,
    environment: Environment,
    select: SelectOptions | None,
    warn: Callable[[str], None],
) -> tuple[list[Step], list[str]]:
    """Return the steps that the lock file ``lock`` selects for ``environment``, in fixed order, and
    the names of the packages that are left out. ``warn`` is called with what is odd about the lock.

    Raises LockstreamError.
    """
    select, target = select or SelectOptions(), environment.interpreter.target
    projects = [project.step(target, folder_of(lock)) for project in select.projects]
    if select.no_deps:
        return fixed_order(projects), []
    reader = LockReader(lock)
    if reader.remark:
        warn(reader.remark)
    selector = Selector(reader.header, target, select)
    selected = (selector.select(package, line) for package, line in reader.packages())
    steps = fixed_order([*(step for step in selected if step is not None), *projects])
    selector.finish()
    return steps, selector.skipped
