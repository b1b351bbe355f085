"""Memory: how much this process may use, and how much it has used.

Sources: https://www.kernel.org/doc/html/latest/admin-guide/cgroup-v2.html (memory interface files)
and https://www.kernel.org/doc/html/latest/admin-guide/cgroup-v1/memory.html.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass

from executor.budget.cgroups import own_groups, read_int, read_words

__all__ = ["Limit", "charged_peak", "own_memory", "resident", "rss_peak", "smallest_limit"]


_HELD = {
    1: ("total_rss", "total_shmem"),
    2: ("anon", "shmem", "slab_unreclaimable", "kernel_stack", "pagetables", "sock"),
}
"""The keys of ``memory.stat``, by version, of what is not page cache."""


_MAPPED = {1: "total_mapped_file", 2: "file_mapped"}
"""The key for files that processes of the group have mapped and it is charged for, by version."""


_RESOURCES = (
    ("RLIMIT_AS", resource.RLIMIT_AS, "VmSize:", "VmRSS:"),
    ("RLIMIT_DATA", resource.RLIMIT_DATA, "VmData:", "RssAnon:"),
)
"""Limits of a process, and the keys of its status for what counts and for what of it is memory."""


_UNLIMITED = 1 << 60
"""Bytes; version 1 writes "no limit" as a number near 2**63."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What bounds the memory of this process."""

    available: int
    """Bytes that are left below it."""
    source: str
    """For messages: the file or the setting that says so."""
    programs: int = 0
    """Bytes of it that our own program and its libraries take, as files. The kernel may drop those
    pages and reads them again whenever they are run; whoever touches one first is charged for it,
    so that they cost nothing where another container has the same program at work.
    """


def smallest_limit() -> Limit | None:
    """The tightest limit of our cgroup and its ancestors, less what others in it hold, and of
    our own process (getrlimit(2)), less what it has reserved and does not hold.

    None where there is no limit but the machine's.
    """
    own = own_memory()
    found = [
        Limit(most - max(0, _status(reserved) - _status(held)), name)
        for name, kind, reserved, held in _RESOURCES
        if (most := resource.getrlimit(kind)[0]) != resource.RLIM_INFINITY
    ]
    for folder, version in own_groups("memory"):
        names = ("memory.max", "memory.high") if version == 2 else ("memory.limit_in_bytes",)
        for name in names:
            limit = read_int(os.path.join(folder, name))
            if limit is not None and limit < _UNLIMITED:
                held, mapped = _held(folder, version)
                programs = min(mapped, _status("RssFile:"))
                others = max(0, held - own)
                found.append(Limit(limit - others, os.path.join(folder, name), programs))
    return min(found, key=lambda limit: limit.available, default=None)


def resident() -> int:
    """The memory this process holds now, in bytes; 0 where it cannot be told."""
    return _status("VmRSS:")


def rss_peak() -> int:
    """The most memory that this process, or one of its children that have ended, has held at
    once, in bytes. Pages that processes share are counted in each.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
    return max(_status("VmHWM:"), children)


def charged_peak() -> int | None:
    """The most memory the kernel has charged to our cgroup at once, in bytes.

    None in the root cgroup, which is the whole machine's.
    """
    for folder, version in own_groups("memory"):
        if version == 2:
            # The root has no such file; in a container the own cgroup is what is mounted.
            if (peak := read_int(os.path.join(folder, "memory.peak"))) is not None:
                return peak
            continue
        # Only the root of a version 1 hierarchy has a release agent.
        is_root = os.path.exists(os.path.join(folder, "release_agent"))
        return None if is_root else read_int(os.path.join(folder, "memory.max_usage_in_bytes"))
    return None


def own_memory() -> int:
    """Bytes of this process that the kernel cannot take back: without the files it has mapped."""
    return _status("RssAnon:")


def _held(folder: str, version: int) -> tuple[int, int]:
    """Bytes that the kernel cannot take back from a group, short of killing, which are not its page
    cache; and bytes of files that are mapped.
    """
    words = read_words(os.path.join(folder, "memory.stat"))
    sizes = dict(zip(words[::2], words[1::2], strict=False))
    if not sizes:
        name = "memory.current" if version == 2 else "memory.usage_in_bytes"
        return read_int(os.path.join(folder, name)) or 0, 0
    held = sum(int(sizes.get(key, 0)) for key in _HELD[version])
    return held, int(sizes.get(_MAPPED[version], 0))


def _status(key: str) -> int:
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith(key):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    return 0
