"""Write files so that the kernel holds little memory for them, if memory is short.

A container is charged for the pages of the files it writes, and for what the file system keeps in
memory until its journal is committed: inodes, folders, bitmaps. The kernel can drop pages that are
on disk, but not those that still have to be written; if the disk is slower than we are, it kills.
So a lane whose memory is limited waits for the disk after each ``window``: one ``fdatasync``, which
commits the journal with all files before it. On a loop-mounted ext4, an installation of 34,000
files in a cgroup of 32 MiB is killed without it and takes 4.1 s with it; in 64 MiB it takes 8.6 s
without and 3.9 s with. Large files are written without the page cache (see ``direct_io``). Sources:
https://docs.kernel.org/admin-guide/cgroup-v2.html (memory),
https://docs.kernel.org/filesystems/ext4/journal.html.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Protocol, Self

from executor.files.allowance import Allowance
from executor.files.block_thread import BlockThread, NoThread
from executor.files.direct_io import DirectFile, NotTaken, buffers
from executor.files.durability import sync_descriptor
from executor.files.heap import Heap

if TYPE_CHECKING:
    from executor.files.aio import Batch

__all__ = ["FileWriter", "Writing"]


_BYTES_PER_FILE = 16 << 10
"""Bytes that each file and folder counts in addition to its contents: its inode, its entry in a
folder and its last page are kept in memory. 256 files fill a window of 4 MiB."""


_LARGE = 64 << 10
"""Bytes from which a piece is dropped from the page cache by itself. Smaller ones are cheaper in
windows: 34,000 files took twice as long when each write was dropped alone."""


_BATCHED = 16 << 10
"""Bytes up to which a file is written in a batch; 24 of 25 real files are not larger."""


_TIGHT = 5 << 20
"""Bytes of a window up to which the writing of every file to the disk is begun at once. Otherwise,
in 32 MiB, all pages that the kernel examines to drop some are dirty, and it puts the process to
sleep (reclaim_throttle in mm/vmscan.c): 34,000 files took 2.8 s instead of 3.2 to 5.4, and 2.4 s in
batches (see ``aio``). In 48 MiB and more it costs more than it saves."""


_RWF_DONTCACHE = 0x80
"""Start writing back at once and drop the page when it is written (Linux 6.14,
https://man7.org/linux/man-pages/man2/pwritev2.2.html). Python has no name for it yet."""


_DIRECT = 256 << 10
"""Bytes of each of the two buffers of a file that is written without the page cache, which is one
that fills both. A disk that writes 1.8 GB/s in pieces of 512 KiB writes 1.5 in these, and the peak
of memory is lower by half a MiB."""


_ROOMY_BUFFERS = (384 << 10, 3)
"""Bytes and number of the buffers of a lane that has memory for threads. A third one bridges the
moments in which the disk is slow, and larger ones are handed over less often: 5.2 GiB in 29 wheels
take 14.6 s with three of 512 KiB, with two of 256 KiB 15.9. A lane may grow by 2 MiB for a large
file: with three of 512 KiB it grew by up to 2.1, with three of 448 in one run of 27 by 2.04."""


_TIGHT_DIRECT = 128 << 10
"""The same in a tight window, where each MiB counts: in 32 MiB, 347 MiB in 7,000 files took 1.2 s,
with 512 KiB 1.7 s."""


_LARGE_FILE = 16 << 20
"""Bytes from which a file is worth threads. Smaller ones are many, and other lanes keep the
processors busy: with 2 MiB, 99 packages took 1.09 s in place of 1.00 on two processors."""


_ROOMY = 8 << 20
"""Bytes of a window from which a lane has memory for threads (their stacks, and two pieces each)
and for larger buffers."""


_NOT_TAKEN = {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.EPERM}
"""The errors of kernels and file systems without it. EPERM is the answer of a seccomp filter to a
system call that it does not know, as of old versions of libseccomp and Docker."""


class Writing(AbstractContextManager["Writing"], Protocol):
    """A new file that is written piece by piece; its descriptor stays open until this is left."""

    def write(self, data: bytes) -> None:
        """Append ``data``. Raises OSError."""

    def finish(self) -> None:
        """Settle the file, which is complete. Raises OSError."""


class FileWriter:
    """The writer of all files of one lane, which owns it. A fork gets a copy of its own."""

    def __init__(
        self,
        window: int | None,
        *,
        is_awaited: bool = False,
        has_batches: bool = True,
        allowance: Allowance | None = None,
    ) -> None:
        """``window`` is the number of bytes that may wait to be written to disk; None for no limit.

        ``is_awaited``: the caller will wait until all files are on disk, and needs none of them in
        memory afterwards. ``has_batches``: small files may be written many at once if the window is
        small. ``allowance`` is what the files may take in memory, if their file system is memory.
        """
        self.allowance = allowance
        self.heap = Heap()
        """Of this process, which the blocks of large files go through."""
        self._window = window
        self._is_tight = hasattr(os, "posix_fadvise") and window is not None and window <= _TIGHT
        self._waiting = 0
        self.seconds = 0.0
        """Spent on files so far, including their creation and closing."""
        self.has_spare_processor = True
        """Whether threads would find a processor that no lane is at work on."""
        self._dropping = window is not None and hasattr(os, "pwritev")
        self._direct = 0
        if is_awaited or window is not None:
            self._direct = _TIGHT_DIRECT if self._is_tight else _DIRECT
        self._is_roomy = window is None or window >= _ROOMY
        self._buffers: tuple[memoryview, ...] = ()
        self._batches: Callable[[int], Batch | None] | None = None
        self._batch: Batch | None = None
        if self._is_tight and has_batches:
            # 0.5 MiB, which only a small window pays for; imported before the lanes fork. It needs
            # ctypes, which some Pythons lack.
            with suppress(ImportError, MemoryError):
                from executor.files.aio import Batch  # noqa: PLC0415

                self._batches = Batch.opened

    def writing(self, descriptor: int, size: int | None) -> Writing:
        """Return the new file that is open as ``descriptor``, to be written piece by piece.

        ``size`` is about how many bytes it will have, if that is known. Only one such file may be
        open at a time. Raises OSError.
        """
        if self._direct and size is not None and size >= 2 * self._direct:
            if not self._buffers:
                # Each lane has buffers of its own: it is forked before it writes anything.
                self._buffers = buffers(*(_ROOMY_BUFFERS if self._is_roomy else (self._direct, 2)))
            try:
                return DirectFile(descriptor, self._buffers, self)
            except NotTaken:
                self._direct = 0
        if self.has_thread_for(size):
            with suppress(NoThread):
                return _ThreadedFile(self, descriptor)
        return _CachedFile(self, descriptor)

    def has_thread_for(self, size: int | None) -> bool:
        """Return whether a file of ``size`` bytes is worth threads, and whether a processor and
        memory are there.
        """
        may = self.has_spare_processor and self._is_roomy
        return may and size is not None and size >= _LARGE_FILE

    def made_folder(self) -> None:
        """Count a new folder, which waits to be written to disk, too. Raises NoMemoryForFiles."""
        if self.allowance is not None:
            self.allowance.add_folder()
        if self._window is not None:
            self._waiting += _BYTES_PER_FILE

    def write_whole(self, descriptor: int, content: bytes) -> None:
        """Write the new file that is open as ``descriptor``, and close it; a small one perhaps only
        in ``flush``. Raises OSError, also for files before it.
        """
        if self._batches is not None and self._batch is None:
            self._batch = self._batches(_RWF_DONTCACHE)
            if self._batch is None:
                self._batches = None
        if self._batch is not None and 0 < len(content) <= _BATCHED:
            self._batch.add(descriptor, content)
            if not self._batch.has_room(_BATCHED):
                self.flush()
            return
        size = len(content)
        try:
            if 0 < size < _LARGE and os.pwrite(descriptor, content, 0) == size:
                if self._is_tight:
                    _drop_pages(descriptor)
                if self._window is not None:
                    self._count(descriptor, size + _BYTES_PER_FILE)
            else:
                # It is empty or large, or a signal or a nearly full disk cut it short.
                self.write(descriptor, content, 0)
                self.finish(descriptor)
        finally:
            os.close(descriptor)

    def flush(self) -> None:
        """Write the files that wait in a batch. Raises OSError."""
        if (batch := self._batch) is None:
            return
        try:
            for descriptor, content, written in batch.write():
                if written == len(content):
                    self._count(descriptor, written + _BYTES_PER_FILE)
                else:
                    # Alone it is written, or raises the reason why not.
                    self.write(descriptor, content[written:], written)
                    self.finish(descriptor)
        finally:
            batch.clear()
        if batch.is_refused:
            self._end_batches()

    def discard(self) -> None:
        """Close the files that wait in a batch, unwritten."""
        if self._batch is not None:
            self._batch.clear()

    def close(self) -> None:
        """Release what the kernel holds; later files are written one by one."""
        self._end_batches()
        if self.allowance is not None:
            self.allowance.close()
            self.allowance = None

    def _end_batches(self) -> None:
        if self._batch is not None:
            self._batch.close()
            self._batch = None
        self._batches = None

    def write(self, descriptor: int, data: bytes | memoryview, offset: int) -> None:
        """Write all of ``data`` at ``offset``, the end of an open file. Raises OSError."""
        size, written = len(data), 0
        while written < size:
            # A signal or a nearly full disk cuts a write short.
            rest = memoryview(data)[written:] if written else data
            written += self._write_some(descriptor, rest, offset + written)
        self._count(descriptor, size)

    def finish(self, descriptor: int) -> None:
        """Settle a file that is complete and about to be closed. Raises OSError."""
        if self._is_tight:
            # This does not drop pages that still have to be written, but begins to write them
            # (https://man7.org/linux/man-pages/man2/posix_fadvise.2.html).
            _drop_pages(descriptor)
        self._count(descriptor, _BYTES_PER_FILE)

    def _count(self, descriptor: int, size: int) -> None:
        if self._window is not None:
            self._waiting += size
            if self._waiting >= self._window:
                self._settle(descriptor)

    def _write_some(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        if self._dropping and len(data) >= _LARGE:
            try:
                return os.pwritev(descriptor, [data], offset, _RWF_DONTCACHE)
            except OSError as error:
                if error.errno not in _NOT_TAKEN:
                    raise
                self._dropping = False
        return os.pwrite(descriptor, data, offset)

    def _settle(self, descriptor: int) -> None:
        """Wait until the disk has everything that was written."""
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            if error.errno not in _NOT_TAKEN:
                raise
            sync_descriptor(descriptor)
        _drop_pages(descriptor)
        self._waiting = 0


class _CachedFile:
    """A file that is written through the page cache; the Destination owns it."""

    def __init__(self, writer: FileWriter, descriptor: int) -> None:
        self._writer = writer
        self._descriptor = descriptor
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        pass

    def write(self, data: bytes) -> None:
        """Append ``data``. Raises OSError."""
        self._writer.write(self._descriptor, data, self._size)
        self._size += len(data)

    def finish(self) -> None:
        """Settle the file, which is complete. Raises OSError."""
        self._writer.finish(self._descriptor)


class _ThreadedFile(_CachedFile):
    """The same, written by a thread while the next bytes are decompressed.

    The constructor raises NoThread.
    """

    def __init__(self, writer: FileWriter, descriptor: int) -> None:
        super().__init__(writer, descriptor)
        self._thread = BlockThread(super().write)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.__exit__(kind)

    def write(self, data: bytes) -> None:
        """Append ``data``. Raises OSError and MemoryError, also for what was appended before."""
        self._thread.put(data)

    def finish(self) -> None:
        """Settle the file, which is complete. Raises OSError and MemoryError."""
        self._thread.finish()
        super().finish()


def _drop_pages(descriptor: int) -> None:
    """Ask the kernel to forget the pages of a file; a seccomp filter may refuse even that."""
    with suppress(OSError):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
