"""The memory that is charged to our control group: what it is now, and its peak in this run.

Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.stat, memory.peak),
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (5.2, stat file).
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import NamedTuple

from executor.budget.cgroups import own_groups, read_int
from executor.budget.kernel_file import KernelFile

__all__ = ["GroupMemory", "Peak", "PeakGauge"]


_USAGE = {1: "memory.usage_in_bytes", 2: "memory.current"}
"""The file of the bytes that are charged to a group, by version."""


_PEAK = {1: "memory.max_usage_in_bytes", 2: "memory.peak"}


_KINDS = {
    1: {
        "anonymous": "total_rss", "cache": "total_cache", "dirty": "total_dirty",
        "writeback": "total_writeback", "tmpfs": "total_shmem",
    },
    2: {
        "anonymous": "anon", "cache": "file", "dirty": "file_dirty",
        "writeback": "file_writeback", "tmpfs": "shmem",
    },
}  # fmt: skip
"""The keys of ``memory.stat``, by version."""


_KERNEL = (b"\nslab ", b"\nkernel_stack ", b"\npagetables ", b"\nsock ", b"\npercpu ")
"""Keys of version 2 before Linux 5.18, which has one for all."""


_SLACK = 1 << 20
"""Bytes by which an earlier peak may be above what is charged now, and is not worth a reset."""


class Peak(NamedTuple):
    """The most memory that was charged to our group at once, in a run."""

    bytes: int
    before: int
    """Bytes of it that were charged when the run began."""
    is_sampled: bool
    """Whether it is the largest of samples. The kernel may have charged more between two."""


class GroupMemory:
    """The group of this process, which may change while the process runs.

    Whoever makes it closes it.
    """

    def __init__(self) -> None:
        self._groups = KernelFile("/proc/self/cgroup")
        self._line = b""
        self._places: dict[bytes, int] = {}
        self._files: _GroupFiles | None = None

    def now(self) -> dict[str, int] | None:
        """Return the bytes that are charged, in all and by kind; None in the group of the whole
        machine.

        ``cache`` includes ``dirty``, ``writeback`` and ``tmpfs``. ``place`` numbers the groups that
        this process has been in, from 0: a run may enter one of its own, and leave it.
        """
        if (line := self._groups.read()) != self._line:
            self._line = line
            self._leave()
            place = _place()
            self._files = _GroupFiles(*place) if place else None
        if self._files is None:
            return None
        number = self._places.setdefault(self._line, len(self._places))
        return {"place": number, **self._files.now()}

    def close(self) -> None:
        """Free the descriptors."""
        self._groups.close()
        self._leave()

    def _leave(self) -> None:
        if self._files:
            self._files.close()
            self._files = None


class _GroupFiles:
    """The files of one group that say what it holds; a GroupMemory owns it."""

    def __init__(self, folder: str, version: int) -> None:
        self._keys = {kind: f"\n{key} ".encode() for kind, key in _KINDS[version].items()}
        self._usage = KernelFile(os.path.join(folder, _USAGE[version]))
        self._stat = KernelFile(os.path.join(folder, "memory.stat"))
        self._kernel: KernelFile | None = None
        if version == 1:
            self._kernel = KernelFile(os.path.join(folder, "memory.kmem.usage_in_bytes"))

    def now(self) -> dict[str, int]:
        # Only the figures that count are parsed: this is done ten times a second.
        stat = b"\n" + self._stat.read()
        held = {"usage": _number(self._usage.read())}
        for kind, key in self._keys.items():
            held[kind] = _figure(stat, key)
        if self._kernel is not None:
            held["kernel"] = _number(self._kernel.read())
        else:
            held["kernel"] = _figure(stat, b"\nkernel ") or sum(
                _figure(stat, key) for key in _KERNEL
            )
        return held

    def close(self) -> None:
        for file in (self._usage, self._stat, self._kernel):
            if file is not None:
                file.close()


class PeakGauge:
    """Finds the peak of the memory that is charged to our group, from its making on.

    An execution owns it. The kernel keeps one peak for each group. From Linux 6.12 on, version 2
    lets every reader reset it for himself; version 1 lets root reset it for all, which is only done
    if an earlier peak would hide ours. Otherwise the peak counts if it has grown, and if not,
    samples do. A group of our own has a peak of its own.
    """

    def __init__(self) -> None:
        self._place = _place()
        self._before = self._charged = 0
        self._earlier: int | None = None
        self._reader: int | None = None
        self._own: tuple[str, int] | None = None
        self._found: Peak | None = None
        if self._place is None:
            return
        folder, version = self._place
        # It is read once for each wheel.
        self._usage_file = KernelFile(os.path.join(folder, _USAGE[version]))
        self._before = self._charged = self._usage()
        self._earlier = read_int(os.path.join(folder, _PEAK[version]))
        if self._earlier is not None and self._earlier > self._before + _SLACK:
            self._reset(os.path.join(folder, _PEAK[version]), version)

    def _reset(self, path: str, version: int) -> None:
        with suppress(OSError):
            if version == 1:
                with open(path, "w", encoding="ascii") as file:
                    file.write("0")
                self._earlier = self._usage()
                return
            reader = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                os.write(reader, b"reset\n")
            except OSError:
                os.close(reader)
                raise
            self._reader = reader

    def sample(self) -> None:
        """Note what is charged now."""
        if self._place is not None:
            self._charged = max(self._charged, self._usage())

    def entered(self, group: str, version: int, before: int) -> None:
        """Note that this process is in a group of our own now; ``before`` bytes remain charged to
        the group of before.
        """
        self._own = os.path.join(group, _PEAK[version]), before

    @property
    def outside(self) -> int | None:
        """The bytes that count against the limit of our own group and are charged to that of
        before; None if this process is in no group of our own.
        """
        return self._own[1] if self._own else None

    def leaves(self) -> None:
        """Note that this process is about to leave the group of our own."""
        if self._own is not None:
            path, before = self._own
            if (peak := read_int(path)) is not None:
                self._found = Peak(before + peak, before, is_sampled=False)
            self._own = None

    def peak(self) -> Peak | None:
        """Return the peak; None in the group of the whole machine, or if the kernel has none."""
        if self._found is not None or self._place is None or self._earlier is None:
            return self._found
        self.sample()
        if self._reader is not None:
            # The group may be gone by now, if somebody moved this process.
            with suppress(OSError):
                peak = int(os.pread(self._reader, 64, 0))
                return Peak(peak, self._before, is_sampled=False)
            return Peak(self._charged, self._before, is_sampled=True)
        folder, version = self._place
        now = read_int(os.path.join(folder, _PEAK[version])) or 0
        # An earlier peak within the slack hides ours by no more than that.
        if now > self._earlier or self._earlier <= self._before + _SLACK:
            return Peak(max(now, self._charged), self._before, is_sampled=False)
        return Peak(self._charged, self._before, is_sampled=True)

    def close(self) -> None:
        """Free the descriptors."""
        if self._place is not None:
            self._usage_file.close()
        if self._reader is not None:
            os.close(self._reader)
            self._reader = None

    def _usage(self) -> int:
        return _number(self._usage_file.read())


def _figure(table: bytes, key: bytes) -> int:
    """Return the number after ``key`` in a table of lines; 0 if it is absent."""
    begin = table.find(key) + len(key)
    return _number(table[begin : table.find(b"\n", begin)]) if begin >= len(key) else 0


def _number(text: bytes) -> int:
    """Return the number in a text; 0 if it holds none."""
    text = text.strip()
    return int(text) if text.isdigit() else 0


def _place() -> tuple[str, int] | None:
    """Return our group for memory and its version; None for the group of the whole machine."""
    for folder, version in own_groups("memory"):
        # The root has no such file; in a container the own group is what is mounted.
        if version == 2 and not os.path.exists(os.path.join(folder, _USAGE[2])):
            continue
        # Only the root of a version 1 hierarchy has a release agent.
        if version == 1 and os.path.exists(os.path.join(folder, "release_agent")):
            return None
        return folder, version
    return None
