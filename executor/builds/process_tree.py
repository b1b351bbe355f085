"""A build's process tree, watched from outside where no control group can be made for it.

What a process leaves behind when it ends becomes our child, whatever session it went to
(PR_SET_CHILD_SUBREAPER, https://man7.org/linux/man-pages/man2/prctl.2.html), so none escapes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from executor.budget.cgroups import own_groups
from executor.builds.cgroup import is_full

__all__ = ["ProcessTree", "computed", "end_strays", "mapped_files"]


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
        return sum(_held(process) for process in self.processes())

    def is_full(self) -> bool:
        """Whether next to nothing is left below the limit of a group that we are in."""
        return any(is_full(folder, version) for folder, version in own_groups("memory"))

    def kill(self) -> None:
        """End all processes, whatever they do meanwhile."""
        _end(self.processes)

    def remove(self) -> None:
        """End what is left, and bury what was left to us."""
        self.kill()
        for process in set(_children_of(os.getpid(), _parents())) - self._others:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
        self._adopt(0)

    def processes(self) -> list[int]:
        """Those that run now."""
        parents = _parents(with_dead=False)
        found = [one for one in _children_of(os.getpid(), parents) if one not in self._others]
        for process in found:
            found.extend(_children_of(process, parents))
        return found

    @staticmethod
    def _adopt(is_on: int) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, is_on, 0, 0, 0)


def mapped_files(processes: Iterable[int]) -> int:
    """Bytes of files, programs above all, that ``processes`` use in memory; what they share counts
    in each. It is page cache, which their control group need not hold: whoever reads a page first
    is charged for it.
    """
    return sum(_sum(process, "status", (b"RssFile:",)) for process in processes)


def computed(processes: Iterable[int]) -> float:
    """Seconds that ``processes``, and those of their children that have ended, ran code of their
    own: what the kernel did for them, reading files above all, does not count.
    """
    ticks = 0
    for process in processes:
        with suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:
            # utime and cutime, the 14th and 16th field of proc_pid_stat(5)
            fields = file.read().rpartition(b")")[2].split()
            ticks += int(fields[11]) + int(fields[13])
    return ticks / os.sysconf("SC_CLK_TCK")


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
    return _KERNEL + _sum(process, "smaps_rollup", _SHARED)


def _sum(process: int, name: str, keys: tuple[bytes, ...]) -> int:
    """What a file of a process says of ``keys``, in bytes."""
    found = 0
    with suppress(OSError), open(f"/proc/{process}/{name}", "rb") as lines:
        for line in lines:
            if line.startswith(keys):
                found += int(line.split()[1]) << 10
    return found
