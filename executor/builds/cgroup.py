"""The control group of one build: made, limited, read, emptied, removed.

Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory interface files) and
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

from executor.budget.cgroups import read_int, read_words, write_int
from executor.budget.confinement import place_for_group

__all__ = ["BuildGroup", "is_full"]


_HELD = {
    1: (b"total_rss", b"total_shmem"),
    2: (b"anon", b"shmem", b"slab_unreclaimable", b"kernel_stack", b"pagetables", b"sock"),
}
"""The keys of ``memory.stat`` whose sum is the demand, by cgroup version. Version 1 counts the
kernel's part in another file."""


_CACHE = {1: ((b"total_cache",), b"total_shmem"), 2: ((b"file", b"slab_reclaimable"), b"shmem")}
"""The keys whose sum is page cache, and the key of the part that the kernel cannot reclaim."""


_PEAK = {1: "memory.max_usage_in_bytes", 2: "memory.peak"}
"""The most bytes charged at once, page cache included, since the file was last written to.
(Version 2: since Linux 6.12; older kernels cannot reset it.)"""


_PREFIX = "lockstream-build"


_REMOVE_ATTEMPTS = 100


_PAUSE_SECONDS = 0.02
"""Between two attempts: a group can be removed only a moment after its last process has ended."""


_numbers = count()


class BuildGroup:
    """A leaf of the memory hierarchy, which the sandbox of one command owns."""

    tier = "own control group"
    shortest_pause = 0.003
    """Seconds between two samples, each of which takes a tenth of a millisecond."""

    def __init__(self, folder: str, version: int) -> None:
        self._folder = folder
        self._version = version
        self._stat = open(os.path.join(folder, "memory.stat"), "rb", buffering=0)  # noqa: SIM115
        self._cache = 0
        self._charged = 0
        self._peak = -1
        with suppress(OSError):
            self._peak = os.open(self._path(_PEAK[version]), os.O_RDWR | os.O_CLOEXEC)

    @classmethod
    def make(cls, limit: int | None) -> BuildGroup | None:
        """Return a new group that may hold ``limit`` bytes; None if none can be made."""
        place = place_for_group()
        if place is None:
            return None
        _, parent, version = place
        folder = os.path.join(parent, f"{_PREFIX}.{os.getpid()}.{next(_numbers)}")
        try:
            _sweep(parent, version)
            os.mkdir(folder)
        except OSError:
            return None
        try:
            _limit(folder, version, limit)
            return cls(folder, version)
        except OSError:
            os.rmdir(folder)
            return None

    @property
    def entrance(self) -> str:
        """The file that a process writes its id to in order to enter."""
        return os.path.join(self._folder, "cgroup.procs")

    def demand(self) -> int:
        """Return the bytes that the processes hold and the kernel cannot reclaim.

        If more was held since the last call, that peak counts: what was charged without the page
        cache.
        """
        words = os.pread(self._stat.fileno(), 16 << 10, 0).split()
        sizes = dict(zip(words[::2], words[1::2], strict=False))
        held = sum(int(sizes.get(key, 0)) for key in _HELD[self._version])
        if self._version == 1:
            held += read_int(self._path("memory.kmem.usage_in_bytes")) or 0
        keys, kept = _CACHE[self._version]
        cache = sum(int(sizes.get(key, 0)) for key in keys) - int(sizes.get(kept, 0))
        before, self._cache = self._cache, cache
        return max(held, self._peak_since() - max(before, cache))

    def _peak_since(self) -> int:
        """Return the most bytes charged at once since the last call; 0 if that is unknown."""
        try:
            peak = int(os.pread(self._peak, 32, 0))
            self._charged = max(self._charged, peak)
            os.pwrite(self._peak, b"0", 0)
        except OSError:
            return 0
        return peak

    def charged_peak(self) -> int | None:
        """Return the most bytes charged at once, page cache included."""
        return max(read_int(self._path(_PEAK[self._version])) or 0, self._charged) or None

    def kills(self) -> int:
        """Return how many processes the kernel has killed because memory ran out."""
        name = "memory.events" if self._version == 2 else "memory.oom_control"
        return self._counter(name, "oom_kill")

    def is_full(self) -> bool:
        """Return whether almost nothing is left below its limit.

        Its processes then read the same files from the disk again and again. (Version 1 counts no
        failure as long as it finds a page to drop.)
        """
        return is_full(self._folder, self._version)

    def kill(self) -> None:
        """Kill all processes, also those that start meanwhile."""
        with suppress(OSError), open(self._path("cgroup.kill"), "w", encoding="ascii") as file:
            file.write("1")
        for _ in range(_REMOVE_ATTEMPTS):
            if not (running := list(self.processes())):
                return
            for process in running:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(_PAUSE_SECONDS)

    def remove(self) -> None:
        """Kill the remaining processes, and remove the group."""
        self.kill()
        self._stat.close()
        with suppress(OSError):
            os.close(self._peak)
        for _ in range(_REMOVE_ATTEMPTS):
            with suppress(OSError):
                for folder in self._folders():
                    os.rmdir(folder)
                return
            time.sleep(_PAUSE_SECONDS)

    def _folders(self) -> list[str]:
        """Return its own folder and those that the build has made below it, the deepest first."""
        return [folder for folder, _, _ in os.walk(self._folder, topdown=False)]

    def processes(self) -> Iterator[int]:
        """Yield the ids of the running processes."""
        for folder in self._folders():
            yield from map(int, read_words(os.path.join(folder, "cgroup.procs")))

    def _counter(self, name: str, key: str) -> int:
        words = read_words(self._path(name))
        return int(dict(zip(words[::2], words[1::2], strict=False)).get(key, 0))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


def is_full(folder: str, version: int) -> bool:
    """Return whether a group holds nearly all that it may, page cache included."""
    usage = "memory.current" if version == 2 else "memory.usage_in_bytes"
    limit = "memory.max" if version == 2 else "memory.limit_in_bytes"
    used = read_int(os.path.join(folder, usage))
    allowed = read_int(os.path.join(folder, limit))
    return used is not None and allowed is not None and used > allowed - allowed // 20


def _sweep(parent: str, version: int) -> None:
    """Kill the builds that killed programs have left running, and remove their groups."""
    for name in os.listdir(parent):
        prefix, _, numbers = name.partition(".")
        owner = numbers.partition(".")[0]
        if prefix == _PREFIX and owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            with suppress(OSError):
                BuildGroup(os.path.join(parent, name), version).remove()


def _limit(folder: str, version: int, limit: int | None) -> None:
    if limit is None:
        return
    if version == 1:
        write_int(os.path.join(folder, "memory.limit_in_bytes"), limit)
        with suppress(OSError):  # the file is missing if swap is not accounted
            write_int(os.path.join(folder, "memory.memsw.limit_in_bytes"), limit)
        return
    write_int(os.path.join(folder, "memory.max"), limit)
    for name, number in (("memory.swap.max", 0), ("memory.oom.group", 1)):
        with suppress(OSError):
            write_int(os.path.join(folder, name), number)
