"""Samples of the memory of a run, ten each second: of its processes, and of its control group.

Sources: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html,
https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.stat),
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (5.2, stat file).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Self

from executor.budget.group_memory import GroupMemory
from executor.budget.kernel_file import KernelFile
from executor.report.recorder import Recorder
from executor.report.repeated import Repeated

__all__ = ["Sampler"]


_INTERVAL = 0.1
"""Seconds between two samples."""


_MOST_PROCESSES = 64
"""Processes that are counted, which is more than lanes and a compiler have."""


_HELD = b"\nRssAnon:"
"""Begins the lines of a status that count: RssAnon, RssFile and RssShmem follow each other, each
with a number of KiB. The end of the line before is part of it: a process names itself."""


class Sampler:
    """A context in which a thread writes samples with ``recorder``, if that writes at all.

    The thread only reads files and writes lines: it holds no lock that a fork could need.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._group = GroupMemory()
        self._known: dict[int, _Process] = {}
        self._repeated: Repeated | None = None

    def __enter__(self) -> Self:
        if self._recorder.is_on:
            self._repeated = Repeated(self._sample_if_on, _INTERVAL, at_once=True)
            self._repeated.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._repeated is not None:
            self._repeated.__exit__()
            self.sample()
        self.close()

    def sample(self) -> None:
        """Write one sample."""
        held = {"count": 0, "anonymous": 0, "mapped": 0, "shared": 0}
        for anonymous, mapped, shared in self._held_by_family():
            held["count"] += 1
            held["anonymous"] += anonymous
            held["mapped"] += mapped
            held["shared"] += shared
        self._recorder.event("sample", processes=held, group=self._group.now())

    def close(self) -> None:
        """Free the descriptors."""
        self._group.close()
        self._forget(set())

    def _held_by_family(self) -> Iterator[list[int]]:
        """Yield what this process and those below it hold, as far as the kernel lists children."""
        waiting, seen = [os.getpid()], set[int]()
        while waiting and len(seen) < _MOST_PROCESSES:
            pid = waiting.pop()
            seen.add(pid)
            process = self._known.get(pid) or self._known.setdefault(pid, _Process(pid))
            if sizes := process.sizes():
                yield sizes
            waiting += process.children()
        if len(self._known) > len(seen):
            self._forget(seen)

    def _forget(self, seen: set[int]) -> None:
        for pid in self._known.keys() - seen:
            self._known.pop(pid).close()

    def _sample_if_on(self) -> None:
        if self._recorder.is_on:
            self.sample()


class _Process:
    """What the kernel says of one process; the sampler owns it."""

    def __init__(self, pid: int) -> None:
        self._status = KernelFile(f"/proc/{pid}/status")
        # Those of the first thread: it is the one that forks.
        self._children = KernelFile(f"/proc/{pid}/task/{pid}/children")

    def sizes(self) -> list[int]:
        """Return the bytes that it holds: anonymous, of files, shared; empty if it has ended."""
        status = self._status.read()
        # Three of some sixty lines are parsed: this is done ten times a second.
        if (begin := status.find(_HELD)) < 0:
            return []
        words = status[begin : begin + 120].split()[1:8:3]
        return [int(word) << 10 for word in words]

    def children(self) -> list[int]:
        return [int(word) for word in self._children.read().split()]

    def close(self) -> None:
        self._status.close()
        self._children.close()
