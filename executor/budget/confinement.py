"""Enforce a budget that the user names and no limit enforces, by a control group of our own.

A container's limit is enforced by the kernel. Without one, pages of files and inodes would fill all
free memory. The limit of a group of our own makes the kernel enforce the budget; root can make such
a group, most containers cannot (https://docs.kernel.org/admin-guide/cgroup-v2.html#delegation).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from executor.budget.cgroups import own_groups, read_int, read_words, write_int
from executor.budget.group_memory import PeakGauge
from executor.budget.memory import resident

__all__ = ["SMALLEST", "confined", "place_for_group"]


SMALLEST = 18 << 20
"""Bytes that the limit of a group of our own must allow in addition to what was charged before: the
pages of two lanes, 11 MiB, and what their files hold. On an ext4 with a journal, most executions
are killed in 12.5 MiB."""


_ATTEMPTS = 50


_PAUSE_SECONDS = 0.02
"""A group can be removed a moment after its last process has left it."""


@contextmanager
def confined(memory: int, gauge: PeakGauge | None = None) -> Iterator[bool]:
    """Run the body in a group of its own, so that at most ``memory`` bytes are charged in all.

    Yield whether the group could be made; if not, the body runs in the group of before. ``gauge``
    gets the peak of the group.
    """
    place = place_for_group()
    before = _charged_before(place[0], place[2]) if place else 0
    leaf = _make(*place, memory - before) if place else None
    if place is None or leaf is None:
        yield False
        return
    home, _, version = place
    if gauge is not None:
        gauge.entered(leaf, version, before)
    try:
        yield True
    finally:
        if gauge is not None:
            gauge.leaves()
        _enter(home)
        for _ in range(_ATTEMPTS):
            with suppress(OSError):
                os.rmdir(leaf)
                break
            time.sleep(_PAUSE_SECONDS)


def place_for_group() -> tuple[str, str, int] | None:
    """Return our group, the group that a new one may be made in, and the version of the hierarchy.

    They are the same group: a new one next to ours would escape our limit, such as that of a scope
    of systemd. In version 2, only the root may have both processes and limited groups ("no internal
    process constraint"), so None is returned in all others.
    """
    for home, version in own_groups("memory"):
        if version == 1 or "memory" in read_words(os.path.join(home, "cgroup.subtree_control")):
            return home, home, version
        return None
    return None


def _make(_home: str, parent: str, version: int, limit: int) -> str | None:
    """Make a group below ``parent`` and enter it; return its folder, or None if that fails."""
    if limit < SMALLEST:
        return None
    leaf = os.path.join(parent, f"lockstream.{os.getpid()}")
    try:
        os.mkdir(leaf)
    except OSError:
        return None
    try:
        name = "memory.max" if version == 2 else "memory.limit_in_bytes"
        write_int(os.path.join(leaf, name), limit)
        _enter(leaf)
    except OSError:
        os.rmdir(leaf)
        return None
    return leaf


def _charged_before(home: str, version: int) -> int:
    """Return the bytes that remain charged to the group of before: all of its usage if this process
    is its only member, else our resident size.
    """
    if read_words(os.path.join(home, "cgroup.procs")) == [str(os.getpid())]:
        usage = "memory.current" if version == 2 else "memory.usage_in_bytes"
        return read_int(os.path.join(home, usage)) or resident()
    return resident()


def _enter(group: str) -> None:
    write_int(os.path.join(group, "cgroup.procs"), os.getpid())
