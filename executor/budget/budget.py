"""Budget: from the memory that may be used to what may be done with it.

This is the only place of the formula. The constants that the planner predicts with too stand in
``schemas.demand``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from executor.budget.errors import BudgetTooSmall
from executor.budget.memory import Limit, smallest_limit
from executor.budget.processors import usable_processors
from executor.files.mounts import FileSystem
from schemas.demand import BASE_MEMORY, JOURNAL_MEMORY, LANE_MEMORY

__all__ = [
    "INODES",
    "MAX_LANES",
    "SMALLEST_WINDOW",
    "Budget",
    "PageCachePolicy",
    "decide_budget",
]


PROGRAM = 1.75
"""What counts of each byte of our program and its libraries that is mapped and charged for, before
there is a second lane: they map more later. The kernel drops these pages first, for it can read
them again; one lane is slowed down by that, two come to nothing: in 36 MiB two took 24 s and one
5 s, in 40 MiB 3.6 and 5.4."""


INODES: Mapping[FileSystem, int] = {"ext4": 0, "overlay": 4 << 20, "other": 18 << 20}
"""Bytes that are held beside. An overlay has inodes of its own: ci-tools takes 4 to 10 s in 32 MiB
with two lanes and 3.6 in 34, and is killed in 24 with one. XFS frees inodes in the background, at
any time: two lanes run through in 48 MiB and are killed one time in four in 44, one lane in 36."""


MAX_LANES = 4
"""More writers wait for the file system, which creates files one at a time."""


WINDOW_SHARE = 4
"""The part of the memory that may be waiting for the disk, over all lanes: at 64 MiB, windows of
8 MiB for each of two lanes took as long as no bound on a fast disk, and were never killed on a slow
one; of 16 MiB, they were killed at 32 MiB."""


LARGEST_WINDOW = 64 << 20
"""Bytes over all lanes; beyond this nothing gets faster."""


PageCachePolicy = Literal["auto", "drop", "keep"]
"""Whether written files may stay in the page cache."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What an execution may use."""

    memory: int | None
    """Bytes, or None where nothing limits it."""
    source: str
    """Where that comes from, for the report."""
    lanes: int
    window: int | None
    """Bytes of written files that each lane lets wait for the disk; None: no bound."""
    keeps_files: bool = False
    """Whether all written files have to stay in the page cache, for the user says so."""
    has_batches: bool = True
    """Whether small files may be written many at once: XFS does not keep up with that, and an
    overlay does not take it."""


def decide_budget(
    memory: int | None = None,
    lanes: int | None = None,
    page_cache: PageCachePolicy = "auto",
    *,
    held: int = 0,
    file_system: FileSystem = "ext4",
    has_journal: bool = False,
) -> Budget:
    """The budget for ``memory`` bytes, or for what the surrounding cgroups leave.

    ``lanes`` asks for a number of lanes; there are never more than memory allows. With the policy
    ``auto``, written files leave the page cache where memory is limited. ``held`` are the bytes of
    files that will stay in memory, for their file system is there (a tmpfs is charged in full).
    ``file_system`` is what the environment is on, ``has_journal`` whether that is an ext4 with a
    journal.

    Raises BudgetTooSmall where not even one lane fits.
    """
    limit = Limit(memory, "--memory") if memory is not None else smallest_limit()
    wanted = min(MAX_LANES, usable_processors()) if lanes is None else lanes
    keeps = page_cache == "keep"
    if limit is None:
        window = LARGEST_WINDOW if page_cache == "drop" else None
        return Budget(None, "no limit", wanted, window, keeps)
    base = BASE_MEMORY + INODES[file_system]
    lane = LANE_MEMORY + (JOURNAL_MEMORY if has_journal else 0)
    free = limit.available - held
    if free < base + lane:
        raise BudgetTooSmall(base + lane, limit.available, limit.source, held)
    lanes = max(1, min(wanted, int(free - base - PROGRAM * limit.programs) // lane))
    window = max(min(free // WINDOW_SHARE, LARGEST_WINDOW) // lanes, SMALLEST_WINDOW)
    return Budget(
        limit.available,
        limit.source,
        lanes,
        None if keeps else window,
        keeps,
        has_batches=file_system == "ext4",
    )


SMALLEST_WINDOW = 4 << 20
"""Bytes; each window costs a journal commit, some milliseconds."""
