"""Samples of the memory of a run, ten each second: of its processes, and of its control group.

Sources: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html,
https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.stat),
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (5.2, stat file).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Self

from executor.budget.group_memory import GroupMemory
from executor.report.recorder import Recorder

__all__ = ["Sampler"]


_INTERVAL = 0.1
"""Seconds between two samples."""


_MOST_PROCESSES = 64
"""Processes that are counted, which is more than lanes and a compiler have."""


_KEYS = {b"\nRssAnon:": "anonymous", b"\nRssFile:": "mapped", b"\nRssShmem:": "shared"}
"""The lines of a status that count, with the end of the line before: a process names itself."""


class Sampler:
    """A context in which a thread writes samples with ``recorder``, if that writes at all.

    The thread only reads files and writes lines: it holds no lock that a fork could need.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._group = GroupMemory()
        self._ended = Event()
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        if self._recorder.is_on:
            self._thread = Thread(target=self._run, name="sampler", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self.sample()

    def sample(self) -> None:
        """Write one sample."""
        processes, sums = 0, dict.fromkeys(_KEYS.values(), 0)
        for pid in _family(os.getpid()):
            if held := _status(pid):
                processes += 1
                for key, size in held.items():
                    sums[key] += size
        self._recorder.event(
            "sample", processes={"count": processes, **sums}, group=self._group.now()
        )

    def _run(self) -> None:
        while True:
            self.sample()
            if self._ended.wait(_INTERVAL) or not self._recorder.is_on:
                return


def _family(pid: int) -> Iterator[int]:
    """Yield ``pid`` and the processes below it, as far as the kernel lists children."""
    waiting, count = [pid], 0
    while waiting and count < _MOST_PROCESSES:
        pid = waiting.pop()
        count += 1
        yield pid
        with suppress(OSError):
            # Those of the first thread: it is the one that forks.
            waiting += map(int, _read(f"/proc/{pid}/task/{pid}/children").split())


def _status(pid: int) -> dict[str, int]:
    """Return the bytes that a process holds, by kind; empty if it has ended."""
    held = {}
    with suppress(OSError):
        # Only three of some sixty lines are parsed: this is done ten times a second.
        status = _read(f"/proc/{pid}/status")
        for key, kind in _KEYS.items():
            _, found, rest = status.partition(key)
            if found:
                held[kind] = int(rest[: rest.index(b"k")]) << 10
    return held


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 1 << 14)
    finally:
        os.close(descriptor)
