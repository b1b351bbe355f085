"""Plan the locks of many projects with one command: ``plan --each``."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import partial
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

from packaging.pylock import is_valid_pylock_path

from executor import echo, echo_json, is_quiet, open_regular, usable_processors
from planner.api import plan_lock
from planner.cli.console import ConsoleReporter
from planner.engines.dask_cluster import take_turns
from planner.inputs.project_document import is_script
from planner.lock.lock_path import lock_path
from planner.plan_request import PlanRequest
from planner.review.recorded import is_planned
from schemas.data_class import frozen
from schemas.errors import ExitCode, InvalidLockText, LockstreamError, UsageError
from schemas.lock_parser import LockParser
from schemas.text import counted

__all__ = ["find_locks", "plan_each"]


LOCK_NAME = "pylock.toml"

_HEADER = 1 << 16
"""Bytes; where the header of a lock ends, but of one with hundreds of inputs."""

_SKIPPED = frozenset({"node_modules", "wheelhouse", "__pycache__", "site-packages"})
"""Folders that hold no project of the user."""


_INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

_GRACE_SECONDS = 10.0
"""Time in which a process that is interrupted ends its build and removes its folders."""


@frozen
class _Lock:
    """One lock that is planned."""

    label: str
    """What messages call it."""
    path: str
    project: str
    """What is planned if the lock does not record that."""


@frozen(kw_only=True)
class _Outcome:
    """How one plan ended."""

    lock: _Lock
    is_changed: bool = False
    unknown: frozenset[str] = frozenset()
    """Names of projects that were to be upgraded and that the lock does not have."""
    error: LockstreamError | None = None
    seconds: float = 0.0

    @property
    def verb(self) -> str:
        return "failed" if self.error else "wrote" if self.is_changed else "kept"


def find_locks(root: str) -> Iterator[str]:
    """Yield the paths of the locks of lockstream below ``root``, sorted; hidden folders and
    environments are left out.
    """
    for folder, names, files in os.walk(root):
        if "pyvenv.cfg" in files:
            names.clear()
            continue
        names[:] = sorted(
            name for name in names if not name.startswith(".") and name not in _SKIPPED
        )
        for name in sorted(files, key=lambda name: (name != LOCK_NAME, name)):
            path = os.path.join(folder, name)
            if is_valid_pylock_path(Path(name)) and _is_ours(path):
                yield path


def plan_each(request: PlanRequest, *, as_json: bool) -> ExitCode:
    """Plan each project of ``request`` with a lock of its own, on all processors; without
    projects, each lock below the current folder. Print how each ended.

    Return the exit code of the first that failed. Raises UsageError.
    """
    started = time.monotonic()
    locks = _locks_of(request.sources.projects)
    if not locks:
        raise UsageError(
            "no folder here has a pylock.toml of lockstream",
            hint="name the projects: lockstream plan --each services/*",
        )
    outcomes = [*_plan_all(request, locks)]
    if as_json:
        echo_json([_to_json(one) for one in outcomes])
    else:
        _print(outcomes, time.monotonic() - started)
    # A name may be that of a package of a few locks alone.
    unknown = [one.unknown for one in outcomes if not one.error]
    for name in sorted(frozenset.intersection(*unknown)) if unknown else ():
        echo(f"warning: --upgrade-package {name}: no lock has such a package", err=True)
    failed = next((one.error for one in outcomes if one.error), None)
    return failed.exit_code if failed else ExitCode.DONE


def _locks_of(projects: Sequence[str]) -> Sequence[_Lock]:
    """Return the locks of ``projects``, each once, or those that are found without any."""
    if not projects:
        return [_found(path) for path in find_locks(os.curdir)]
    locks: dict[str, _Lock] = {}
    for project in projects:
        is_file = os.path.isfile(project)
        path = lock_path(None, (project,))
        if not is_script(project):
            path = os.path.join(os.path.dirname(project) if is_file else project, path)
        locks.setdefault(os.path.realpath(path), _Lock(project, path, project))
    return [*locks.values()]


def _found(path: str) -> _Lock:
    folder, name = os.path.split(path)
    # Of which project another lock of the folder is, it alone knows.
    return _Lock(folder, path, folder) if name == LOCK_NAME else _Lock(path, path, path)


def _plan_all(request: PlanRequest, locks: Sequence[_Lock]) -> Iterator[_Outcome]:
    """Yield the outcomes in the order of ``locks``."""
    plan = partial(_plan_one, request)
    workers = min(usable_processors(), len(locks))
    if workers == 1:
        yield from map(plan, locks)
        return
    gc.freeze()
    context = multiprocessing.get_context("fork")
    # Each process builds for its lock; a scheduler elsewhere shares its workers among all.
    turn = (context.Lock(),)
    with ProcessPoolExecutor(workers, context, _begin, turn) as pool:
        try:
            yield from pool.map(partial(_plan_apart, plan), locks)
        except KeyboardInterrupt:
            _end_children()
            raise


_is_at_work = False
"""Whether this process, which was forked to plan some of many locks, is planning one."""


def _begin(turn: AbstractContextManager[Any]) -> None:
    """Prepare a process that plans some of many locks."""
    take_turns(turn)
    signal.signal(signal.SIGINT, _stop)


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Both the terminal and our parent may send it; what ends must not be interrupted again.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not _is_at_work:
        os._exit(_INTERRUPTED)
    raise KeyboardInterrupt


def _plan_apart(plan: Callable[[_Lock], _Outcome], lock: _Lock) -> _Outcome:
    """Plan one lock in a process of the pool, which ends if that is interrupted: threads that wait
    for servers, and further locks, would hold it.
    """
    global _is_at_work  # noqa: PLW0603  # of a process that does one thing after the other
    _is_at_work = True
    try:
        return plan(lock)
    except KeyboardInterrupt:
        os._exit(_INTERRUPTED)
    finally:
        _is_at_work = False


def _end_children() -> None:
    """Interrupt the processes that plan, and kill those that do not end their builds in time."""
    children = multiprocessing.active_children()
    waiting = [child.sentinel for child in children]
    _send(children, signal.SIGINT)
    deadline = time.monotonic() + _GRACE_SECONDS
    while waiting and (left := deadline - time.monotonic()) > 0:
        ended = connection.wait(waiting, left)
        waiting = [one for one in waiting if one not in ended]
    _send([child for child in children if child.sentinel in waiting], signal.SIGKILL)


def _send(children: Sequence[BaseProcess], number: signal.Signals) -> None:
    for child in children:
        with suppress(ProcessLookupError):
            if child.pid is not None:
                os.kill(child.pid, number)


def _plan_one(request: PlanRequest, lock: _Lock) -> _Outcome:
    started = time.monotonic()
    # What an existing lock records of its inputs counts.
    sources = replace(request.sources, projects=())
    request = replace(request, sources=sources, project=lock.project, output=lock.path)
    try:
        planned = plan_lock(request, ConsoleReporter(f"{lock.label}: ", quiet=True))
    except LockstreamError as error:
        return _Outcome(lock=lock, error=error, seconds=time.monotonic() - started)
    return _Outcome(
        lock=lock,
        is_changed=planned.is_changed,
        unknown=frozenset(planned.without(request.upgraded)),
        seconds=time.monotonic() - started,
    )


def _is_ours(path: str) -> bool:
    """Return whether lockstream planned the lock from inputs, as its header says: not one of build
    requirements, which its plan writes too. One that cannot be read is planned, for the error.
    """
    with suppress(OSError), open_regular(path) as file:
        head = file.read(_HEADER)
        if b"[tool.lockstream.inputs]" not in head:
            return False
        try:
            return is_planned(LockParser([head, file.read()]).header)
        except InvalidLockText:
            return True
    return False


def _print(outcomes: Sequence[_Outcome], seconds: float) -> None:
    for one in outcomes:
        if one.error:
            echo(f"{one.lock.label}: error: {one.error}", err=True)
            if one.error.hint:
                echo(f"{one.lock.label}: hint: {one.error.hint}", err=True)
        elif not is_quiet():
            echo(f"{one.lock.label}: {one.verb}", err=True)
    if not is_quiet():
        counts = dict.fromkeys(("wrote", "kept", "failed"), 0)
        for one in outcomes:
            counts[one.verb] += 1
        listed = ", ".join(f"{verb} {count}" for verb, count in counts.items() if count)
        echo(f"{counted(len(outcomes), 'lock')}: {listed}, in {seconds:.1f} s", err=True)


def _to_json(outcome: _Outcome) -> dict[str, object]:
    return {
        "folder": outcome.lock.label,
        "lock": outcome.lock.path,
        "outcome": outcome.verb,
        "error": str(outcome.error) if outcome.error else None,
        "seconds": round(outcome.seconds, 2),
    }
