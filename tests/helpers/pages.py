"""Pages of files, as the kernel has them in memory."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

__all__ = ["pages_in_memory"]


def pages_in_memory(path: Path) -> int:
    """Pages of a file that the page cache holds
    (https://man7.org/linux/man-pages/man2/mincore.2.html).
    """
    size = path.stat().st_size
    libc = ctypes.CDLL(None, use_errno=True)
    present = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
    with path.open("r+b") as file, mmap.mmap(file.fileno(), size) as mapped:
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        assert libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), present) == 0
    return sum(page & 1 for page in present)
