"""The number of processors that this process may keep busy."""

from __future__ import annotations

import os
from contextlib import suppress

from executor.budget.cgroups import own_groups, read_int, read_words

__all__ = ["usable_processors"]


def usable_processors() -> int:
    """Return how many processors we may run on, or fewer if a quota of our cgroups gives less time.

    It is at least one. Sources: https://man7.org/linux/man-pages/man2/sched_getaffinity.2.html
    (which counts cpusets), https://www.kernel.org/doc/html/latest/scheduler/sched-bwc.html.
    """
    # Systems without cpusets have no such call.
    usable = float(os.cpu_count() or 1)
    with suppress(AttributeError, OSError):  # a seccomp filter may refuse the call
        usable = float(len(os.sched_getaffinity(0)))
    for folder, version in own_groups("cpu"):
        if version == 2:
            words = read_words(os.path.join(folder, "cpu.max"))
            quota = int(words[0]) if words and words[0].isdigit() else None
            period = int(words[1]) if len(words) > 1 else None
        else:
            quota = read_int(os.path.join(folder, "cpu.cfs_quota_us"))
            period = read_int(os.path.join(folder, "cpu.cfs_period_us"))
        if quota and period:
            usable = min(usable, quota / period)
    return max(1, int(usable))
