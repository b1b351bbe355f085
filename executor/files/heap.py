"""Give memory that was freed back to the kernel, while large files are decompressed.

The C library keeps it for what is allocated next, but a block of 128 KiB does not fit where a lock
of a few bytes lies in between, so that its heap grows by 6 MiB over 29 wheels of 5.2 GiB, none of
which is in use. To trim it takes 0.3 ms. A block could have pages of its own instead, which takes
longer: the kernel clears each. Source: https://man7.org/linux/man-pages/man3/malloc_trim.3.html.
"""

from __future__ import annotations

from executor.files.c_library import c_library

__all__ = ["Heap"]


_INTERVAL = 16 << 20
"""Bytes of contents after which the heap is trimmed. Trimming more often makes it no smaller."""


class Heap:
    """The memory of a process that decompresses; the FileWriter of its lane owns it."""

    def __init__(self) -> None:
        self._since = 0

    def passed(self, size: int) -> None:
        """Count ``size`` bytes of contents that came in blocks and were freed, or will be soon."""
        self._since += size
        if self._since >= _INTERVAL:
            self._since = 0
            libc = c_library()
            # That of Alpine has no such function.
            if hasattr(libc, "malloc_trim"):
                libc.malloc_trim(0)
