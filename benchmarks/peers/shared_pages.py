"""Hold the pages of programs in memory, as another container of the same image would.

They stay in memory when the page cache is dropped, and are charged to this process: the kernel
charges a page to the group that reads it first
(https://docs.kernel.org/admin-guide/cgroup-v2.html, memory ownership).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path

__all__ = ["in_memory"]

_MAP_LOCKED = 0x2000
"""Read all pages now, and keep them. Python has no name for it yet
(https://man7.org/linux/man-pages/man2/mmap.2.html)."""


def in_memory(files: Iterable[Path]) -> list[mmap.mmap]:
    """Hold ``files`` in memory as long as the returned maps live. Raises OSError."""
    held = []
    for path in files:
        with path.open("rb") as file:
            flags = mmap.MAP_SHARED | _MAP_LOCKED
            held.append(mmap.mmap(file.fileno(), 0, flags=flags, prot=mmap.PROT_READ))
    return held
