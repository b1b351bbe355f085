"""A small file of the kernel that is read many times from one descriptor.

Opening such a file by its path takes more than reading it: ten samples a second pay for that.
"""

from __future__ import annotations

import os

__all__ = ["KernelFile"]


_SIZE = 1 << 14
"""Bytes that are read at most: four times what ``memory.stat`` or a status has."""


class KernelFile:
    """A file below ``/proc`` or of a control group, opened when it is first read.

    Whoever makes it closes it; it may be read again after that.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1

    def read(self) -> bytes:
        """Return what the file says now; empty if it, its process or its group is gone."""
        try:
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._descriptor, _SIZE, 0)
        except OSError:
            self.close()
            return b""

    def close(self) -> None:
        """Free the descriptor, if there is one."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
