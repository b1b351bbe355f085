"""Memory and disk that an execution needs.

The planner predicts with these figures and the executor decides with them. They were measured on
CPython 3.11 to 3.13 on x86-64 with glibc 2.36, as the peak of VmHWM over an execution.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.hints import WheelHints

__all__ = [
    "BASE_DISK",
    "BASE_MEMORY",
    "BLOCK_SIZE",
    "JOURNAL_MEMORY",
    "LANE_MEMORY",
    "NO_BYTE_CODE",
    "OVERLAY_MEMORY",
    "PROGRAM_PAGES",
    "TLS_MEMORY",
    "disk_of",
    "peak_memory",
]

BASE_MEMORY = 14 << 20
"""Bytes of the interpreter, the modules that an execution imports, and one selection, as far as
the kernel cannot take them back, less what its own lane has of them."""

LANE_MEMORY = 8 << 20
"""Bytes of one lane: memory that its fork does not share (7.8 MiB), a chunk of input, a piece of
output, the window of inflate, and pages that are being written. Over plain HTTP, data-service runs
through with two lanes in 30 MiB, with three in 38, four in 46 and eight in 78, five times each."""

JOURNAL_MEMORY = 2 << 20
"""Further bytes of each lane on an ext4 with a journal: what its files changed in folders and inode
tables stays in memory until the journal is committed. Two lanes are killed one time in eight in
30 MiB and run through in 31 MiB; one is killed in 22 MiB and runs through in 24 MiB."""

TLS_MEMORY = 2 << 20
"""Further bytes of each lane that fetches over TLS: OpenSSL keeps buffers and keys for each of its
connections. data-service was killed with three lanes in 40 MiB (one time in four) and with four in
48 (three times), and runs through in 44 and 54 (five times each)."""

NO_BYTE_CODE = 6 << 20
"""Further bytes if Python has no byte code of its library, as in the official images, and may write
none: what its compiler takes stays with the process, and with the fork that reads the lock. An
execution is killed in 28 MiB and runs through in 29."""

OVERLAY_MEMORY = 4 << 20
"""Further bytes of the kernel for the inodes of an overlay, the file system of containers."""

PROGRAM_PAGES = 10 << 20
"""Bytes of the pages of Python and its libraries. The kernel charges them to the first container on
a machine that uses them, and drops them under pressure, at the price of time."""

BASE_DISK = 8 << 20
"""Bytes beyond the files: folders, manifests and the journal."""

BLOCK_SIZE = 4096
"""Bytes that a file is rounded up to: the default block of ext4, XFS and tmpfs."""


def peak_memory(lanes: int = 1) -> int:
    """Return the bytes that an execution needs with this number of lanes.

    They do not depend on the lock. The most common case is assumed: wheels come over TLS, and the
    file system is an ext4 with a journal.
    """
    return BASE_MEMORY + lanes * (LANE_MEMORY + TLS_MEMORY + JOURNAL_MEMORY)


def disk_of(wheels: Iterable[tuple[int, WheelHints]]) -> int:
    """Return the bytes on disk at the peak for wheels of these sizes (bytes) and hints.

    That is their files, each of which leaves half a block empty on average, and the wheels that
    must be stored before they can be unpacked.
    """
    needed = BASE_DISK
    for size, hints in wheels:
        needed += hints.unpacked_size + hints.files * BLOCK_SIZE // 2
        needed += 0 if hints.streamable else size
    return needed
