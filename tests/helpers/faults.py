"""Kill forks with SIGKILL just before they change the file system, or let a change fail."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from schemas.errors import LockstreamError

__all__ = [
    "CHANGES",
    "at_change",
    "count_changes",
    "failed_at",
    "interrupted_at",
    "kill_ourselves",
    "killed_at",
]

CHANGES = frozenset({"os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir"})
"""Audit events of calls that change a tree (https://docs.python.org/3/library/audit_events.html);
opening a file to write is another."""


def killed_at(number: int, work: Callable[[], object]) -> bool:
    """Do ``work`` in a fork that is killed just before its ``number``-th change, from 0.

    Return whether it came to that; if not, the work is done. Raises RuntimeError if the work
    failed.
    """
    return interrupted_at(number, work, kill_ourselves)


def interrupted_at(number: int, work: Callable[[], object], end: Callable[[], None]) -> bool:
    """As ``killed_at``, with ``end`` to be called instead; it must end in a kill."""
    pid = os.fork()
    if pid == 0:
        try:
            sys.addaudithook(at_change(number, end))
            work()
        except BaseException:  # noqa: BLE001  # the parent sees the exit status
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the work failed with status {status}")
    return status != 0


def count_changes(work: Callable[[], object]) -> int:
    """Do ``work``; how many changes it made. Its hook stays in this process, and does nothing."""
    made = 0
    counting = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal made
        made += counting and _is_change(event, arguments)

    sys.addaudithook(hook)
    work()
    counting = False
    return made


def failed_at(number: int, work: Callable[[], object], code: int) -> str | None:
    """Run ``work`` in a fork in which its ``number``-th change fails with the error ``code``.

    Return what it raised, as text with its hint; None if it came to its end. Raises RuntimeError if
    it raised something that is not a LockstreamError.
    """
    hearing, telling = os.pipe()

    def fail() -> None:
        raise OSError(code, os.strerror(code), "/the/file")

    pid = os.fork()
    if pid == 0:
        try:
            sys.addaudithook(at_change(number, fail))
            work()
            os._exit(0)
        except LockstreamError as error:
            os.write(telling, f"{error}; {error.hint}".encode())
            os._exit(1)
        except BaseException:  # noqa: BLE001  # the parent sees the exit status
            traceback.print_exc()
            os._exit(2)
    os.close(telling)
    with open(hearing, "rb") as told:
        text = told.read().decode()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, 1):
        raise RuntimeError(f"the work ended with status {status}")
    return text if status else None


def kill_ourselves() -> None:
    """End as the kernel ends who takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_change(number: int, act: Callable[[], None]) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that calls ``act`` just before the ``number``-th change of this process."""
    changes = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal changes
        if _is_change(event, arguments):
            changes += 1
            if changes == number + 1:
                act()

    return hook


def _is_change(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "open":
        if isinstance(arguments[0], int):
            return False  # of what is open already
        return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in CHANGES
