"""The bytes that files may take in memory, counted over all lanes while they are written.

A file on a tmpfs is memory for as long as it exists. Its size may not be known before it is
written, so memory is counted file by file, and the first file that does not fit is refused;
otherwise the kernel would kill the program. Lanes are forks, so what is left is in a pipe that all
of them read from: each byte in it stands for some bytes of memory, and is read once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable

from executor.files.errors import NoMemoryForFiles
from schemas.demand import BLOCK_SIZE

__all__ = ["Allowance", "memory_of_file", "memory_of_folder"]


_INODE = 1280
"""Bytes of the kernel for each file and folder of a tmpfs, its entry in a folder included: 760 and
192 bytes, in slabs that are not full."""


_ROWS = 512
"""Bytes that manifests, RECORD and the journal, which are there too, have for each file."""


_SMALLEST = 16 << 10
"""Bytes that one byte of the pipe stands for at least: a few small files."""


def memory_of_file(name: str, size: int, *, compiles: bool = False) -> int:
    """Return the bytes that a file of ``size`` bytes takes; with ``compiles``, its byte code too,
    which is about as large as the source.
    """
    taken = _INODE + _ROWS + -(-size // BLOCK_SIZE) * BLOCK_SIZE
    return 2 * taken if compiles and name.endswith(".py") else taken


def memory_of_folder() -> int:
    """Return the bytes that a folder takes."""
    return _INODE


class Allowance:
    """A number of bytes that files may take. A fork shares what is left; ``close`` frees it."""

    def __init__(self, size: int, *, compiles: bool = False) -> None:
        """``compiles``: byte code will be made of all modules, on the same file system."""
        self._compiles = compiles
        self._pipe, fill = os.pipe()
        capacity: int = fcntl.fcntl(fill, fcntl.F_GETPIPE_SZ)
        self._worth = max(_SMALLEST, -(-size // capacity))
        os.write(fill, bytes(max(0, size) // self._worth))
        os.close(fill)
        self._left = 0

    def add(self, taken: int) -> None:
        """Count some bytes. Raises NoMemoryForFiles."""
        self._left -= taken
        while self._left < 0:
            found = os.read(self._pipe, -(self._left // self._worth))
            if not found:
                raise NoMemoryForFiles
            self._left += len(found) * self._worth

    def add_folder(self) -> None:
        """Count a folder. Raises NoMemoryForFiles."""
        self.add(_INODE)

    def add_file(self, name: str, size: int) -> None:
        """Count a file of ``size`` bytes. Raises NoMemoryForFiles."""
        self.add(memory_of_file(name, size, compiles=self._compiles))

    def growing(self, name: str) -> Callable[[int], None]:
        """Return what counts the bytes that a file will have, as they arrive.

        Both raise NoMemoryForFiles.
        """
        self.add_file(name, 0)
        size = 0

        def grow(more: int) -> None:
            nonlocal size
            before = memory_of_file(name, size, compiles=self._compiles)
            size += more
            self.add(memory_of_file(name, size, compiles=self._compiles) - before)

        return grow

    def close(self) -> None:
        """Free what it holds."""
        os.close(self._pipe)
