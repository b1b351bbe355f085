"""Demand: the memory and the disk that an execution needs, told before it begins.

The planner predicts with it, the executor decides with it. The constants were measured on CPython
3.11 to 3.13 on x86-64 with glibc 2.36, as the peak of VmHWM over an execution.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.hints import WheelHints

__all__ = [
    "BASE_DISK",
    "BASE_MEMORY",
    "JOURNAL_MEMORY",
    "LANE_MEMORY",
    "disk_of",
    "peak_memory",
]

BASE_MEMORY = 18 << 20
"""Bytes of the interpreter, the modules that an execution imports, and one selection, as far as
the kernel cannot take them back."""

LANE_MEMORY = 6 << 20
"""Bytes of one lane: what a fork does not share, a chunk of input, a piece of output, inflate's
window, and pages being written."""

JOURNAL_MEMORY = 2 << 20
"""Bytes that each lane holds beside on an ext4 with a journal, until that is committed."""

BASE_DISK = 8 << 20
"""Bytes beyond the files: folders, ledgers and the journal."""

BLOCK_SIZE = 4096
"""Bytes that file systems give out at once."""


def peak_memory(lanes: int = 1) -> int:
    """Bytes that an execution needs with so many lanes on an ext4 with a journal, which most have,
    whatever the lock holds.
    """
    return BASE_MEMORY + lanes * (LANE_MEMORY + JOURNAL_MEMORY)


def disk_of(wheels: Iterable[tuple[int, WheelHints]]) -> int:
    """Bytes on disk at the peak for wheels of these sizes: their files, of which each leaves half
    a block empty on average, and the wheels that have to be stored before they can be unpacked.
    """
    needed = BASE_DISK
    for size, hints in wheels:
        needed += hints.unpacked_size + hints.files * BLOCK_SIZE // 2
        needed += 0 if hints.streamable else size
    return needed
