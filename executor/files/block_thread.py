"""Work on the blocks of a large file in a thread, while the next ones are decompressed.

Decompressing, hashing and writing let go of the interpreter (hashlib, os.pwrite and isal do so for
blocks of this size), so that two processors share the work on one file.
"""

from __future__ import annotations

import _thread
import os
from _queue import Empty, SimpleQueue  # the module ``queue`` imports ``heapq``
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Self, TypeVar

__all__ = ["BlockThread", "NoThread", "handed_over", "next_of"]


_AHEAD = 2
"""Blocks that may wait for the thread: one that it works on, and one that it goes on with."""


_PATIENCE = 0.5
"""Seconds to wait for a thread before looking whether it still exists."""


B = TypeVar("B", bytes, memoryview)


T = TypeVar("T")


class NoThread(Exception):
    """No thread can be made: a limit of processes or memory is reached."""


class BlockThread(Generic[B]):
    """A thread that calls ``work`` with each block, in order. Use it as a context manager.

    At most ``ahead`` blocks are unfinished. At its end, however the body ended, the thread calls
    ``end``. The constructor raises NoThread.
    """

    def __init__(
        self,
        work: Callable[[B], object],
        *,
        ahead: int = _AHEAD,
        end: Callable[[], object] | None = None,
    ) -> None:
        self._work: Callable[[B], object] = work
        self._ahead = ahead
        self._end = end
        self._problem: OSError | MemoryError | None = None
        self._waiting = 0
        self._blocks: SimpleQueue[B | None] = SimpleQueue()
        self._done: SimpleQueue[bool] = SimpleQueue()
        # Apart: a signal may interrupt the counting of blocks.
        self._ended: SimpleQueue[bool] = SimpleQueue()
        try:
            # Not threading.Thread: start() waits forever for a thread that has no memory to begin.
            _thread.start_new_thread(self._run, ())
        except RuntimeError:
            raise NoThread from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Wait until the thread has ended. Raises what the work raised, if nothing else is."""
        self._blocks.put(None)
        try:
            next_of(self._ended)
        except MemoryError:
            if kind is None:
                raise
        if kind is None:
            self._check()

    def put(self, block: B) -> None:
        """Give the thread ``block``, as soon as it has room. Raises what the work raised before:
        OSError and MemoryError.
        """
        self._wait(self._ahead - 1)
        self._check()
        self._blocks.put(block)
        self._waiting += 1

    def finish(self) -> None:
        """Wait until all blocks are worked on. Raises what the work raised."""
        self._wait(0)
        self._check()

    def _wait(self, most: int) -> None:
        while self._waiting > most:
            next_of(self._done)
            self._waiting -= 1

    def _check(self) -> None:
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        """Work until there are no more blocks. This is the thread."""
        while (block := self._blocks.get()) is not None:
            try:
                if self._problem is None:
                    self._work(block)
            except (OSError, MemoryError) as error:
                self._problem = error
            del block
            self._done.put(True)
        if self._end is not None:
            try:
                self._end()
            except OSError as error:
                self._problem = error
        self._ended.put(True)


@contextmanager
def handed_over(
    work: Callable[[bytes], object], *, in_thread: bool
) -> Iterator[Callable[[bytes], object]]:
    """Yield what to call with each block: ``work``, or what hands the block to a thread that calls
    it, if one is wanted and can be made. At the end all blocks are worked on.
    """
    try:
        thread = BlockThread(work) if in_thread else None
    except NoThread:
        thread = None
    if thread is None:
        yield work
        return
    with thread:
        yield thread.put


def next_of(queue: SimpleQueue[T]) -> T:
    """Return what a thread puts into ``queue`` next.

    Raises MemoryError if the thread has ended without it, as it does if it has no memory to begin.
    """
    while True:
        try:
            return queue.get(timeout=_PATIENCE)
        except Empty:
            if not _has_threads() and queue.empty():
                raise MemoryError from None


def _has_threads() -> bool:
    """Return whether this process has a second thread, or may have one."""
    try:
        return len(os.listdir("/proc/self/task")) > 1
    except OSError:
        return True
