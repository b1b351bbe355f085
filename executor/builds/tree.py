"""A build's process tree, watched from outside where no control group can be made for it.

What a process leaves behind when it ends becomes our child, whatever session it went to
(PR_SET_CHILD_SUBREAPER, https://man7.org/linux/man-pages/man2/prctl.2.html), so none escapes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from executor.builds.groups import is_full
from executor.cgroups import own_groups

__all__ = ["ProcessTree", "end_strays"]

_PR_SET_CHILD_SUBREAPER = 36
_SHARED = (b"Pss_Anon:", b"Pss_Shmem:")
"""Of what processes share, each counts its part
(https://docs.kernel.org/filesystems/proc.html, smaps_rollup)."""
_KERNEL = 64 << 10
"""Bytes for stacks and page tables of each process, which only control groups count."""
_ATTEMPTS = 200
_PAUSE_SECONDS = 0.01


class ProcessTree:
    """All that our next child starts. Children that we have now are none of it."""

    tier = "watched, without a control group"
    shortest_pause = 0.012
    """Seconds between two looks, each of which reads all of ``/proc``: some milliseconds."""

    def __init__(self) -> None:
        self._others = set(_children_of(os.getpid(), _parents()))
        self._adopt(1)

    def demand(self) -> int:
        """Bytes that the processes hold now."""
        return sum(_held(process) for process in self._processes())

    def is_full(self) -> bool:
        """Whether next to nothing is left below the limit of a group that we are in."""
        return any(is_full(folder, version) for folder, version in own_groups("memory"))

    def kill(self) -> None:
        """End all processes, whatever they do meanwhile."""
        _end(self._processes)

    def remove(self) -> None:
        """End what is left, and bury what was left to us."""
        self.kill()
        for process in set(_children_of(os.getpid(), _parents())) - self._others:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
        self._adopt(0)

    def _processes(self) -> list[int]:
        parents = _parents(with_dead=False)
        found = [one for one in _children_of(os.getpid(), parents) if one not in self._others]
        for process in found:
            found.extend(_children_of(process, parents))
        return found

    @staticmethod
    def _adopt(is_on: int) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, is_on, 0, 0, 0)


def end_strays(home: str) -> None:
    """End the processes whose home is the folder ``home``: those of a build of which nobody is
    left to end it.
    """
    _end(lambda: [process for process in _parents(with_dead=False) if _has_home(process, home)])


def _has_home(process: int, home: str) -> bool:
    with suppress(OSError), open(f"/proc/{process}/environ", "rb") as file:
        return f"HOME={home}".encode() in file.read().split(b"\0")
    return False


def _end(find: Callable[[], list[int]]) -> None:
    """End the processes that ``find`` finds, until it finds none."""
    for _ in range(_ATTEMPTS):
        if not (running := find()):
            return
        for process in running:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)


def _parents(*, with_dead: bool = True) -> dict[int, int]:
    """The parent of each process; ``with_dead`` also of those that nobody has buried."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # The name in brackets may hold anything.
                state, parent, *_ = file.read().rpartition(b")")[2].split()
                if with_dead or state != b"Z":
                    found[int(name)] = int(parent)
    return found


def _children_of(parent: int, parents: dict[int, int]) -> Iterator[int]:
    return (process for process, its in parents.items() if its == parent)


def _held(process: int) -> int:
    held = _KERNEL
    with suppress(OSError), open(f"/proc/{process}/smaps_rollup", "rb") as lines:
        for line in lines:
            if line.startswith(_SHARED):
                held += int(line.split()[1]) << 10
    return held
