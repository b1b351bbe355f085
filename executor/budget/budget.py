"""What an execution may do with the memory that it may use.

This is the only place of the formula. The constants that the planner predicts with too are in
``schemas.demand``.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import field, replace
from typing import Literal, NamedTuple

from executor.budget.errors import BudgetTooSmall
from executor.budget.memory import MEMORY_OPTION, Limit, physical_limit, smallest_limit
from executor.budget.processors import free_processes, usable_processors
from executor.budget.start import has_byte_code
from executor.files.mounts import FileSystem
from schemas.data_class import frozen
from schemas.demand import (
    BASE_MEMORY,
    JOURNAL_MEMORY,
    LANE_MEMORY,
    NO_BYTE_CODE,
    OVERLAY_MEMORY,
    TLS_MEMORY,
)

__all__ = [
    "COMPILER_DATA",
    "COMPILER_MEMORY",
    "INODES",
    "MAX_LANES",
    "READING_MEMORY",
    "SMALLEST_WINDOW",
    "Budget",
    "History",
    "PageCachePolicy",
    "Surface",
    "check_files",
    "check_least",
    "decide_budget",
]


PROGRAM = 1.75
"""What each byte of our program and its libraries counts that is mapped and charged before there is
a second lane: lanes map more later. The kernel drops these pages first, because it can read them
again; one lane is slowed down by that, two stall: in 36 MiB two took 24 s and one 5 s, in 40 MiB
3.6 and 5.4."""


INODES: Mapping[FileSystem, int] = {"ext4": 0, "overlay": OVERLAY_MEMORY, "other": 18 << 20}
"""Further bytes of the kernel. An overlay has inodes of its own: ci-tools takes 4 to 10 s in 32 MiB
with two lanes and 3.6 in 34, and is killed in 24 with one. XFS frees inodes in the background, at
any time: two lanes run through in 48 MiB and are killed one time in four in 44, one lane in 36."""


READING_MEMORY = 26 << 20
"""Bytes of this process, of the fork that reads the lock, and of the children that probe the
interpreter and make an environment. All end before the lanes begin. An execution is killed in
24 MiB and completes in 25."""


COMPILER_DATA = 24 << 20
"""Bytes of data that a child that makes byte code needs at least. It takes 8 MiB to start."""


COMPILER_MEMORY = 24 << 20
"""Bytes of this process, and of the kernel for the files, while the child makes byte code."""


_MADE = 1 << 20
"""Bytes of files of an environment that is made, if its file system is memory."""


MAX_LANES = 8
"""By a model, eight lanes take three quarters of the time of four, and sixteen take four fifths of
the time of eight (docs/decisions/forks-not-threads.md)."""


WINDOW_SHARE = 4
"""The part of the memory that may wait for the disk, over all lanes: at 64 MiB, windows of 8 MiB
for each of two lanes took as long as no limit on a fast disk, and were never killed on a slow one;
windows of 16 MiB were killed at 32 MiB."""


LARGEST_WINDOW = 64 << 20
"""Bytes over all lanes; a larger window is not faster."""


SMALLEST_WINDOW = 4 << 20
"""Bytes; each window costs a journal commit, some milliseconds."""


_PLENTY = 1 << 30
"""Bytes of free physical memory. If more is free and nothing else limits the execution, it has no
limit."""


_ROOMY = 64 << 20
"""Bytes for each lane from which on 2 MiB more in a lane do not matter."""


_LEAST_HISTORY = 1 << 20
"""Bytes of a window of zstandard that the memory of a lane has room for."""


_DECODER = 2 << 20
"""Bytes that the library for zstandard takes in each lane that needs it."""


class History(NamedTuple):
    """What each lane may hold of a member's past contents, for those that follow to refer to: the
    window of zstandard. The wheel decides how much that is, so no other need counts it.
    """

    most: int
    """Bytes."""
    besides: int
    """Bytes that a single lane needs besides them."""


PageCachePolicy = Literal["auto", "drop", "keep"]
"""Whether written files may stay in the page cache."""


@frozen
class Surface:
    """What an execution writes to and reads from, as far as it takes memory."""

    file_system: FileSystem = "ext4"
    """The kind of file system that the environment is on."""
    has_journal: bool = False
    """Whether that is an ext4 with a journal."""
    held: int = 0
    """Bytes of files that stay in memory because their file system is memory: a tmpfs is charged in
    full."""
    is_memory: bool = False
    """Whether that file system is memory."""
    is_secured: bool = False
    """Whether some wheels come over TLS."""
    compiles: bool = False
    """Whether byte code is made of the installed files."""
    is_guessed: bool = False
    """Whether the sizes of some of those files are guessed. They may take more, so there is one
    lane if they are memory: what it is refused for must not depend on the guess."""
    is_counted: bool = False
    """Whether ``held`` was counted, because it was more than foreseen: all lanes have to fit."""


@frozen
class Budget:
    """What an execution may use. ``install`` owns it and hands it to the lanes and the builder."""

    memory: int | None
    """Bytes, or None if nothing limits it."""
    source: str
    """The file or setting that the figure is from, for the report."""
    lanes: int
    window: int | None
    """Bytes of written files that each lane lets wait for the disk; None for no limit."""
    keeps_files: bool = False
    """Whether all written files have to stay in the page cache, because the user says so."""
    has_batches: bool = True
    """Whether small files may be written many at once: XFS does not keep up with that, and an
    overlay does not support it."""
    compiler_data: int | None = None
    """Bytes of data that a child that makes byte code may have; None for no limit."""
    history: History | None = field(default=None, compare=False)
    """None for no limit."""
    files: int | None = None
    """Bytes that files may take if their file system is memory; None for no limit."""
    wanted: int = field(default=0, compare=False)
    """Lanes that there would be with more memory."""
    next_lane: int | None = field(default=None, compare=False)
    """Bytes that would allow one lane more; None if memory is not what limits the lanes."""

    @property
    def is_roomy(self) -> bool:
        """Whether each lane may hold what only saves time, such as responses that wait."""
        return self.memory is None or self.memory >= self.lanes * _ROOMY


def decide_budget(
    memory: int | None = None,
    lanes: int | None = None,
    page_cache: PageCachePolicy = "auto",
    *,
    surface: Surface | None = None,
) -> Budget:
    """Return the budget for what the surrounding limits leave, and at most ``memory`` bytes.

    ``lanes`` is the number of lanes that the user wants; there are never more than memory and the
    limit of processes allow.
    With the policy ``auto``, written files leave the page cache if memory is limited.

    Raises BudgetTooSmall if not even one lane fits.
    """
    surface = surface or Surface()
    limit = _limit(memory)
    wanted = min(MAX_LANES, usable_processors()) if lanes is None else lanes
    if (others := free_processes()) is not None:
        wanted = min(wanted, 1 + others)
    keeps = page_cache == "keep"
    if limit is None:
        window = LARGEST_WINDOW if page_cache == "drop" else None
        return Budget(None, "no limit", wanted, window, keeps, wanted=wanted)
    if surface.is_memory and surface.is_guessed:
        wanted = 1
    _check(limit, memory, surface, wanted if surface.is_counted else 1)
    base, lane = _needs(surface)
    free = limit.available - surface.held
    mapped = int(PROGRAM * limit.programs)
    lanes = max(1, min(wanted, (free - base - mapped) // lane))
    window = max(min(free // WINDOW_SHARE, LARGEST_WINDOW) // lanes, SMALLEST_WINDOW)
    more = base + (lanes + 1) * lane + mapped + surface.held
    busy = max(base + lanes * lane, _compiling(surface))
    spare = (free - base - lanes * lane) // lanes - _DECODER
    return Budget(
        limit.available,
        limit.source,
        lanes,
        None if keeps else window,
        keeps,
        has_batches=surface.file_system == "ext4",
        compiler_data=free - COMPILER_MEMORY if surface.compiles else None,
        history=History(max(spare, _LEAST_HISTORY), base + lane + surface.held + _DECODER),
        files=limit.available - busy - _MADE if surface.is_memory else None,
        wanted=wanted,
        next_lane=more if lanes < wanted else None,
    )


def check_least(memory: int | None, surface: Surface) -> None:
    """Raise BudgetTooSmall if an execution that writes nothing does not fit.

    It is called before the lock is read, which takes memory in a fork. The error names what an
    execution that writes needs, as far as that is known without the lock: whether its wheels come
    over TLS is not, so they may.
    """
    if (limit := _limit(memory)) is not None:
        with suppress(BudgetTooSmall):
            _check(limit, memory, replace(surface, compiles=False))
            return
        _check(limit, memory, replace(surface, is_secured=True))


def check_files(budget: Budget, taken: int) -> None:
    """Raise BudgetTooSmall if ``taken`` bytes do not fit: files that are copied to a file system
    that is memory after all has been staged.
    """
    if budget.memory is None or taken <= 0:
        return
    limit = smallest_limit(budget.memory if budget.source == MEMORY_OPTION else None)
    if limit is not None and limit.available - taken < BASE_MEMORY + LANE_MEMORY:
        raise BudgetTooSmall(BASE_MEMORY + LANE_MEMORY + JOURNAL_MEMORY, limit, taken)


def _limit(memory: int | None) -> Limit | None:
    """Return the limit that counts, which is physical memory if that is scarce."""
    limit = smallest_limit(memory)
    if limit is None and (physical := physical_limit()) and physical.available < _PLENTY:
        return physical
    return limit


def _check(limit: Limit, memory: int | None, surface: Surface, lanes: int = 1) -> None:
    base, lane = _needs(surface)
    compiling = _compiling(surface)
    reading = READING_MEMORY + (0 if has_byte_code() else NO_BYTE_CODE)
    needed = max(base + lanes * lane, reading, compiling)
    if limit.available - surface.held >= needed:
        return
    # The limits that the user can set are all named: the container's, and ``--memory``.
    around = smallest_limit()
    if memory is not None and around and around.available - surface.held < needed:
        limit = around
    named = memory if memory is not None and memory - surface.held < needed else None
    raise BudgetTooSmall(
        needed,
        limit,
        surface.held,
        named,
        lanes=lanes,
        compiles=compiling == needed,
        is_open=surface.is_memory and not surface.held,
    )


def _compiling(surface: Surface) -> int:
    """Return the bytes that making byte code needs; 0 if none is made."""
    return COMPILER_MEMORY + COMPILER_DATA if surface.compiles else 0


def _needs(surface: Surface) -> tuple[int, int]:
    """Return the bytes that an execution needs, and those of each of its lanes."""
    base = BASE_MEMORY + INODES[surface.file_system]
    base += 0 if has_byte_code() else NO_BYTE_CODE
    lane = LANE_MEMORY + (JOURNAL_MEMORY if surface.has_journal else 0)
    return base, lane + (TLS_MEMORY if surface.is_secured else 0)
