"""The memory that this process may use, and the memory that it has used.

Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory interface files),
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html and
https://man7.org/linux/man-pages/man5/proc_meminfo.5.html.
"""

from __future__ import annotations

import os
import resource
import sys
from itertools import pairwise

from executor.budget.cgroups import own_groups, processes_of, read_int, read_table, read_words

TYPE_CHECKING = False  # as in start.py
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MACHINE",
    "MEMORY_OPTION",
    "OF_PROCESS",
    "Limit",
    "available_memory",
    "counts_what_is_reserved",
    "found_limits",
    "own_memory",
    "physical_limit",
    "resident",
    "rss_peak",
    "smallest_limit",
]


MEMORY_OPTION = "--memory"
"""The source of a limit that the user has named."""


MACHINE = "/proc/meminfo"
"""The source of the limit that the machine is."""


OF_PROCESS = "RLIMIT"
"""How the sources of limits of a process (getrlimit(2)) begin."""


_MAPPED = {1: "total_mapped_file", 2: "file_mapped"}
"""The key for files that processes of the group have mapped and it is charged for, by version."""


_RESOURCES = (
    ("RLIMIT_AS", resource.RLIMIT_AS, "VmSize:", "VmRSS:"),
    ("RLIMIT_DATA", resource.RLIMIT_DATA, "VmData:", "RssAnon:"),
)
"""Limits of a process, and the keys of its status for what counts and for what of it is memory."""


_UNLIMITED = 1 << 60
"""Bytes; version 1 writes "no limit" as a number near 2**63."""


_STALE = 1 << 20
"""Bytes by which ``memory.stat`` may be wrong: the kernel adds what a processor has counted only
after 64 pages. What others hold below this is in ``BASE_MEMORY``."""


_EXPECTED = 18 << 20
"""Bytes of this process that the needs in ``budget`` include. What it holds beyond them, because it
is a program that uses the library, is as lost as what others hold."""


_CLIENT = 3 << 20
"""Bytes that the client of HTTP adds, if it is imported before the needs are checked; they include
it, too. It takes 2.3 MiB."""


_MANY_FILES = 64
"""Open files from which a process counts as one that holds memory of the kernel."""


_LARGE_TABLES = 1 << 20
"""Bytes of page tables from which a process counts as one that holds memory of the kernel."""


class Limit:
    """A bound of the memory of this process."""

    __slots__ = ("available", "others", "programs", "source")

    def __init__(self, available: int, source: str, programs: int = 0, others: int = 0) -> None:
        self.available = available
        """Bytes that are left below it for this process, including what it holds."""
        self.source = source
        """The file or the setting that states it, for messages."""
        self.programs = programs
        """Bytes of it that our own program and its libraries take, as files. The kernel may drop
        those pages, and reads them again when they run. The group that reads a page first is
        charged for it; they cost nothing if another container runs the same program."""
        self.others = others
        """Bytes below the limit that other processes hold."""

    def __repr__(self) -> str:
        return f"Limit{self._fields()}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limit) and self._fields() == other._fields()

    __hash__ = None  # type: ignore[assignment]

    def _fields(self) -> tuple[int, str, int, int]:
        return self.available, self.source, self.programs, self.others


def smallest_limit(named: int | None = None, ours: int | None = None) -> Limit | None:
    """Return the tightest bound of the memory of this process; None if only the machine bounds it.

    These count: ``named``, the bytes that the user names; the limits of our cgroup and of all its
    ancestors, less what others in them hold; the limits of our process (getrlimit(2)), less what it
    has reserved and does not hold; and physical memory, if a limit is above it. ``ours`` are the
    bytes that do not count as held by others (None: what this process holds, as far as an execution
    has to).
    """
    return min(found_limits(named, ours), key=lambda limit: limit.available, default=None)


def found_limits(named: int | None = None, ours: int | None = None) -> list[Limit]:
    """Return every bound of the memory of this process, as ``smallest_limit`` counts them."""
    found = [*_limits_of_process(), *_limits_of_groups(ours)]
    if named is not None:
        found.append(Limit(named, MEMORY_OPTION))
    if found and (physical := physical_limit()):
        found.append(physical)
    return found


def physical_limit() -> Limit | None:
    """Return the memory of the machine that is left for processes; None if it is unknown."""
    words = read_words(MACHINE)
    stated = dict(pairwise(words))
    for key in ("MemAvailable:", "MemTotal:"):
        if (number := stated.get(key, "")).isdigit():
            return Limit((int(number) << 10) + _ours(), MACHINE)
    return None


def counts_what_is_reserved() -> bool:
    """Return whether a limit of this process counts what it reserves, as for the stack of a thread,
    and not only what it holds.
    """
    return any(_limits_of_process())


def available_memory() -> int | None:
    """Return the bytes that this process and its children may hold; None if it is unknown."""
    limit = smallest_limit() or physical_limit()
    return limit.available if limit else None


def _limits_of_process() -> Iterator[Limit]:
    for name, kind, reserved, held in _RESOURCES:
        try:
            most = resource.getrlimit(kind)[0]
        except OSError:  # a seccomp filter may refuse the call
            continue
        if most != resource.RLIM_INFINITY:
            unused = max(0, _status(reserved) - _status(held))
            yield Limit(most - unused, name, others=unused)


def _limits_of_groups(ours: int | None) -> Iterator[Limit]:
    own = _ours() if ours is None else ours
    for folder, version in own_groups("memory"):
        stat = read_table(os.path.join(folder, "memory.stat"))
        limits = [
            (limit, os.path.join(folder, name))
            for name in _LIMITS[version]
            if (limit := read_int(os.path.join(folder, name))) is not None and limit < _UNLIMITED
        ]
        # Ancestors that a container does not see limit it, too.
        unseen = stat.get("hierarchical_memory_limit", _UNLIMITED)
        if unseen < min((limit for limit, _ in limits), default=_UNLIMITED):
            limits.append((unseen, os.path.join(folder, "memory.stat")))
        if not limits:
            continue
        limit, source = min(limits)
        held = _held(folder, version, stat)
        # Not while a build of ours runs: its processes have pipes, and its files leave inodes.
        if version == 1 and ours is None and any(map(_holds_kernel_memory, processes_of(folder))):
            held += read_int(os.path.join(folder, "memory.kmem.usage_in_bytes")) or 0
        others = max(0, held - own)
        others = others if others > _STALE else 0
        programs = min(stat.get(_MAPPED[version], 0), _status("RssFile:"))
        yield Limit(limit - others, source, programs, others)


_LIMITS = {1: ("memory.limit_in_bytes",), 2: ("memory.max", "memory.high")}
"""The files of limits, by version."""


def _held(folder: str, version: int, stat: dict[str, int]) -> int:
    """Return the bytes of a group that the kernel cannot reclaim, short of killing; in version 1
    without those of the kernel itself.
    """
    if not stat:
        return read_int(os.path.join(folder, _USAGE[version])) or 0
    if version == 2:
        kernel = sum(map(stat.get, ("slab_unreclaimable", "kernel_stack", "pagetables"), (0,) * 3))
        # Since Linux 5.18; it counts what the keys above do not, such as the buffers of pipes.
        kernel = max(kernel, stat.get("kernel", 0) - stat.get("slab_reclaimable", 0))
        return kernel + stat.get("sock", 0) + stat.get("hugetlb", 0) + _unswept(stat, "")
    return _unswept(stat, "total_")


def _unswept(stat: dict[str, int], of_tree: str) -> int:
    """Return the bytes of pages that are on no disk, or stay in memory although they are: a process
    has locked them, or they are files of a ramfs (Documentation/mm/unevictable-lru.rst).
    """
    pages = sum(stat.get(of_tree + key, 0) for key in ("anon", "rss", "shmem"))
    lists = sum(
        stat.get(of_tree + key, 0) for key in ("inactive_anon", "active_anon", "unevictable")
    )
    return max(pages, lists)


_USAGE = {1: "memory.usage_in_bytes", 2: "memory.current"}
"""The file of the bytes that are charged to a group, by version."""


def _holds_kernel_memory(process: int) -> bool:
    """Return whether another process of our group may hold much memory of the kernel.

    Version 1 does not separate it from inodes, which earlier programs have left and the kernel
    reclaims. Pipes, sockets, many files and large page tables are what processes hold.
    """
    if process == os.getpid():
        return False
    folder = f"/proc/{process}"
    try:
        files = os.listdir(f"{folder}/fd")
        if len(files) > _MANY_FILES or _status("VmPTE:", process) > _LARGE_TABLES:
            return True
        links = [os.readlink(f"{folder}/fd/{file}") for file in files if int(file) > 2]
    except FileNotFoundError:
        # It has ended, unless it is one that we cannot see.
        return process == 0
    except OSError:
        return True
    return any(link.startswith(("pipe:", "socket:")) for link in links)


def resident() -> int:
    """Return the memory that this process holds now, in bytes; 0 if it is unknown."""
    return _status("VmRSS:")


def rss_peak() -> int:
    """Return the most memory that this process, or one of its ended children, has held at once.

    In bytes; pages that processes share are counted in each.
    """
    try:
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    except OSError:  # a seccomp filter may refuse the call
        children = 0
    return max(_status("VmHWM:"), children)


def _ours() -> int:
    """Return the bytes of this process that are not lost for an execution."""
    client = _CLIENT if "executor.sources.client" in sys.modules else 0
    return min(own_memory(), _EXPECTED + client)


def own_memory() -> int:
    """Return the bytes of this process that the kernel cannot reclaim: all but mapped files."""
    return _status("RssAnon:")


def _status(key: str, process: int | None = None) -> int:
    """Return a figure of ``/proc/PID/status`` in bytes, of this process by default; 0 if absent."""
    try:
        place = "self" if process is None else process
        with open(f"/proc/{place}/status", encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith(key):
                    return int(line.split()[1]) << 10
    except (OSError, IndexError, ValueError):
        pass
    return 0
