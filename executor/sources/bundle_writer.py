"""Writing a bundle: the files of a lock in a tar archive, whose bytes depend on them alone."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Iterable
from fcntl import F_GETFL, fcntl
from functools import partial
from io import FileIO
from tempfile import TemporaryFile

from executor.files.folders import write_spool

__all__ = ["BundleWriter"]


_BLOCK = tarfile.BLOCKSIZE
"""Headers and contents begin at multiples of it (POSIX.1-2017, pax, "ustar Interchange Format")."""


_CHUNK = 128 << 10
"""Bytes copied at once."""


class BundleWriter:
    """Writes to ``file``, which the caller owns. Methods raise OSError.

    If ``file`` has no place to go back to, such as a pipe, a device or what a shell appends to
    (``>>``), each file is kept in the folder for temporary files until it is whole.
    """

    def __init__(self, file: FileIO) -> None:
        self._file = file
        is_regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        self._goes_back = is_regular and not fcntl(file.fileno(), F_GETFL) & os.O_APPEND

    def add(self, name: str, size: int | None, chunks: Iterable[bytes]) -> int:
        """Write a file of ``size`` bytes; None if that is not known. Return its bytes.

        Nothing of the file remains if ``chunks`` raise, so that it can be added again.
        """
        if size is None or not self._goes_back:
            with TemporaryFile(buffering=0) as spool:
                write_spool(spool, chunks)
                size = spool.tell()
                spool.seek(0)
                self._write(name, size, iter(partial(spool.read, _CHUNK), b""))
            return size
        start = self._file.tell()
        try:
            self._write(name, size, chunks)
        except BaseException:
            self._file.seek(start)
            self._file.truncate()
            raise
        return size

    def finish(self) -> None:
        """Write the end of the archive."""
        write_spool(self._file, [bytes(2 * _BLOCK)])

    def _write(self, name: str, size: int, chunks: Iterable[bytes]) -> None:
        # No time, owner or mode of this machine: the same files give the same bytes.
        header = tarfile.TarInfo(name)
        header.size = size
        header.mode = 0o644
        write_spool(self._file, [header.tobuf(tarfile.PAX_FORMAT)])
        write_spool(self._file, chunks)
        write_spool(self._file, [bytes(-size % _BLOCK)])
