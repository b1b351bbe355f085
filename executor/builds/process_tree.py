"""The process tree of a build, sampled from outside if no control group can be made for it.

When a process ends, its children become ours, whatever session they are in
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
"""Keys of smaps_rollup in which shared memory counts in equal parts for the processes that share
it (https://docs.kernel.org/filesystems/proc.html)."""


_ANONYMOUS = (b"RssAnon:", b"RssShmem:")
_RESIDENT = (b"VmRSS:",)
"""Keys of status (https://man7.org/linux/man-pages/man5/proc_pid_status.5.html), in which shared
memory, and files in the second, count for each process."""


_KERNEL = 64 << 10
"""Bytes assumed for the stacks and page tables of each process, which only control groups count."""


_ATTEMPTS = 200


_PAUSE_SECONDS = 0.01


class ProcessTree:
    """The descendants of our next child; children that we have already do not belong to it.

    The sandbox of one command owns it.
    """

    tier = "watched, without a control group"
    shortest_pause = 0.012
    """Seconds between two samples, each of which reads all of ``/proc``: some milliseconds."""

    def __init__(self) -> None:
        self._others = set(_children_of(os.getpid(), _parents()))
        self._adopt(1)

    def demand(self) -> int:
        """Return the bytes that the processes hold now; 0 if ``/proc`` does not show them."""
        return sum(_held(process) for process in self.processes())

    def is_full(self) -> bool:
        """Return whether almost nothing is left below the limit of a group that we are in."""
        return any(is_full(folder, version) for folder, version in own_groups("memory"))

    def kill(self) -> None:
        """Kill all processes, also those that start meanwhile."""
        _end(self.processes)

    def remove(self) -> None:
        """Kill the remaining processes, and reap those that became our children."""
        self.kill()
        for process in set(_children_of(os.getpid(), _parents())) - self._others:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
        self._adopt(0)

    def processes(self) -> list[int]:
        """Return the ids of the running processes."""
        parents = _parents(with_dead=False)
        found = [one for one in _children_of(os.getpid(), parents) if one not in self._others]
        for process in found:
            found.extend(_children_of(process, parents))
        return found

    @staticmethod
    def _adopt(is_on: int) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, is_on, 0, 0, 0)


def mapped_files(processes: Iterable[int]) -> int:
    """Return the bytes of files, mostly programs, that ``processes`` have mapped in memory.

    Shared files count for each process. They are page cache, which need not be charged to the
    processes' own control group: the group that reads a page first is charged.
    """
    return sum(_sum(process, "status", (b"RssFile:",)) for process in processes)


def computed(processes: Iterable[int]) -> float:
    """Return the seconds that ``processes``, and their ended children, ran their own code.

    The kernel's work for them, mostly reading files, does not count.
    """
    ticks = 0
    for process in processes:
        with suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:
            # utime and cutime, the 14th and 16th field of proc_pid_stat(5)
            fields = file.read().rpartition(b")")[2].split()
            ticks += int(fields[11]) + int(fields[13])
    return ticks / os.sysconf("SC_CLK_TCK")


def end_strays(home: str) -> None:
    """Kill the processes whose HOME is the folder ``home``: a build whose lockstream was killed."""
    _end(lambda: [process for process in _parents(with_dead=False) if _has_home(process, home)])


def _has_home(process: int, home: str) -> bool:
    with suppress(OSError), open(f"/proc/{process}/environ", "rb") as file:
        return b"HOME=" + os.fsencode(home) in file.read().split(b"\0")
    return False


def _end(find: Callable[[], list[int]]) -> None:
    """Kill the processes that ``find`` returns, until it returns none."""
    for _ in range(_ATTEMPTS):
        if not (running := find()):
            return
        for process in running:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(_PAUSE_SECONDS)


def _parents(*, with_dead: bool = True) -> dict[int, int]:
    """Return the parent of each process; ``with_dead`` includes processes that are not reaped."""
    found: dict[int, int] = {}
    try:
        # Of another PID namespace: its numbers are those of other processes.
        if os.readlink("/proc/self") != str(os.getpid()):
            return found
    except FileNotFoundError:  # it is not mounted
        return found
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # The name in brackets may contain any character.
                state, parent, *_ = file.read().rpartition(b")")[2].split()
                if with_dead or state != b"Z":
                    found[int(name)] = int(parent)
    return found


def _children_of(parent: int, parents: dict[int, int]) -> Iterator[int]:
    return (process for process, its in parents.items() if its == parent)


def _held(process: int) -> int:
    """Return the bytes that a process holds, as exactly as this kernel states it; 0 if it does not.

    smaps_rollup is absent before Linux 4.14 and in gVisor, the parts of the resident size before
    4.5.
    """
    for name, keys in (("smaps_rollup", _SHARED), ("status", _ANONYMOUS), ("status", _RESIDENT)):
        if held := _sum(process, name, keys):
            return _KERNEL + held
    return 0


def _sum(process: int, name: str, keys: tuple[bytes, ...]) -> int:
    """Return the sum of ``keys`` in a file of ``/proc`` of a process, in bytes."""
    found = 0
    with suppress(OSError), open(f"/proc/{process}/{name}", "rb") as lines:
        for line in lines:
            if line.startswith(keys):
                found += int(line.split()[1]) << 10
    return found
