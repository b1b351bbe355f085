"""Confinement: hold ourselves to a budget that nobody else enforces.

Where a container has a limit, the kernel keeps it. Where the user names a budget and there is no
limit, pages of files and inodes would fill all memory that is free. A control group of our own,
with the budget as its limit, makes the kernel keep it; one can be made by root and in delegated
groups (https://docs.kernel.org/admin-guide/cgroup-v2.html#delegation), not in most containers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from executor.budget.cgroups import own_groups, read_int, read_words
from executor.budget.memory import resident

__all__ = ["SMALLEST", "confined", "place_for_group"]


SMALLEST = 18 << 20
"""Bytes that a group of our own must hold beside what was charged before: two lanes' own pages, 11
MiB, and what their files hold. On an ext4 with a journal, most executions are killed in 12.5."""


_ATTEMPTS = 50


_PAUSE_SECONDS = 0.02
"""A group can be removed a moment after its last process has left it."""


@contextmanager
def confined(memory: int) -> Iterator[bool]:
    """Run the body in a group of its own, so that all together ``memory`` bytes are charged.

    Yields whether it could be made; where not, the body runs as it is.
    """
    place = place_for_group()
    leaf = _make(*place, memory) if place else None
    if place is None or leaf is None:
        yield False
        return
    home, _, _ = place
    try:
        yield True
    finally:
        _enter(home)
        for _ in range(_ATTEMPTS):
            with suppress(OSError):
                os.rmdir(leaf)
                break
            time.sleep(_PAUSE_SECONDS)


def place_for_group() -> tuple[str, str, int] | None:
    """Our group, the group that a new one may be made in, and the version of their hierarchy."""
    for home, version in own_groups("memory"):
        if version == 1:
            return home, home, version
        # Below a group with processes in it, version 2 gives no limits: only beside it.
        parent = os.path.dirname(home)
        if "memory" in read_words(os.path.join(parent, "cgroup.subtree_control")):
            return home, parent, version
        return None
    return None


def _make(home: str, parent: str, version: int, memory: int) -> str | None:
    limit = memory - _charged_before(home, version)
    if limit < SMALLEST:
        return None
    leaf = os.path.join(parent, f"lockstream.{os.getpid()}")
    try:
        os.mkdir(leaf)
    except OSError:
        return None
    try:
        name = "memory.max" if version == 2 else "memory.limit_in_bytes"
        _write(os.path.join(leaf, name), limit)
        _enter(leaf)
    except OSError:
        os.rmdir(leaf)
        return None
    return leaf


def _charged_before(home: str, version: int) -> int:
    """Bytes that stay charged to where we come from. Alone in a group, that is all it holds."""
    if read_words(os.path.join(home, "cgroup.procs")) == [str(os.getpid())]:
        usage = "memory.current" if version == 2 else "memory.usage_in_bytes"
        return read_int(os.path.join(home, usage)) or resident()
    return resident()


def _enter(group: str) -> None:
    _write(os.path.join(group, "cgroup.procs"), os.getpid())


def _write(path: str, number: int) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(str(number))
