"""The number of processors that this process may keep busy, and of processes that it may make."""

from __future__ import annotations

import os
from contextlib import suppress

from executor.budget.cgroups import own_groups, read_int, read_words

__all__ = ["free_processes", "own_processors", "usable_processors"]


def usable_processors() -> int:
    """Return how many processors we may run on, or fewer if a quota of our cgroups gives less time.

    It is at least one. Sources: https://man7.org/linux/man-pages/man2/sched_getaffinity.2.html
    (which counts cpusets), https://www.kernel.org/doc/html/latest/scheduler/sched-bwc.html.
    """
    usable = float(len(own_processors()) or os.cpu_count() or 1)
    for folder, version in own_groups("cpu"):
        if version == 2:
            words = read_words(os.path.join(folder, "cpu.max"))
            quota = int(words[0]) if words and words[0].isdigit() else None
            period = int(words[1]) if words[1:] and words[1].isdigit() else None
        else:
            quota = read_int(os.path.join(folder, "cpu.cfs_quota_us"))
            period = read_int(os.path.join(folder, "cpu.cfs_period_us"))
        if quota and period:
            usable = min(usable, quota / period)
    return max(1, int(usable))


def own_processors() -> list[int]:
    """Return the numbers of the processors that we may run on; none if they are not known."""
    # Systems without cpusets have no such call, and a filter of system calls may refuse it: to an
    # EINVAL, Python answers with ever larger sets.
    with suppress(AttributeError, OSError, OverflowError):
        return sorted(os.sched_getaffinity(0))
    return []


def free_processes() -> int | None:
    """Return how many further processes our cgroups allow; None if they do not limit them.

    Source: https://docs.kernel.org/admin-guide/cgroup-v2.html#pid.
    """
    free = None
    for folder, _ in own_groups("pids"):
        most = read_int(os.path.join(folder, "pids.max"))
        current = read_int(os.path.join(folder, "pids.current"))
        if most is not None and current is not None:
            free = min(max(0, most - current), most if free is None else free)
    return free
