"""Lanes: several steps at once, results in the order of the steps.

A lane is a process: this one, and for each further lane a fork of it. Threads would share one
interpreter lock, and most of the work is Python and system calls on small files: on 34,000 files
two threads took 3.5 s, as long as one, and two processes 2.0 s. A fork shares the interpreter and
all modules with its parent and adds about 7 MiB of its own.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pickle
import select
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from struct import Struct
from typing import Any, Generic, TypeVar

from executor.lanes.errors import LaneKilled
from executor.lanes.forks import end_with_parent, portable
from executor.lock.step import Step
from executor.sources.client import HttpClient

__all__ = ["Work", "run_lanes"]


R = TypeVar("R")


Work = Callable[[int, Step, HttpClient, Callable[[int], None]], R]
"""Does a step: its number, the step, a client of the lane, and whom to tell how many bytes were
written. What it returns or raises can be pickled."""


_NUMBER = Struct("<L")


_PIPE_SIZE = 64 << 10
"""Bytes that a pipe holds if it is not asked for more."""


_LENGTH = Struct("<Q")


_TELL_AFTER = 1 << 20
"""Bytes written before a lane tells of them, and looks whether another one has failed."""


_READ = 64 << 10
"""Bytes read at once of what a lane has to say."""


def run_lanes(
    steps: Sequence[Step],
    work: Work[R],
    client: HttpClient,
    lanes: int,
    wrote: Callable[[int], None],
    address: Callable[[Step], str | None] | None = None,
    last: ExitStack | None = None,
) -> Iterator[R]:
    """Do ``work`` for each step, ``lanes`` of them at once. Yields the results in the order of
    the steps; ``wrote`` is told of all bytes that any lane has written. Each lane has its own copy
    of ``client``, which must not be connected yet and is closed in the end. ``address`` tells where
    a step will be fetched from, so that it can be asked for before; None for one that is not.
    Where all is done, ``last`` waits for the other lanes to end, when it is closed: what the kernel
    gives back for one takes 30 ms.

    Raises the first error that becomes known, once no lane is at work any more; LaneKilled where
    a lane ended without a word.
    """
    if not steps:
        return
    tasks = _Tasks(len(steps))
    run = _Run(steps, work, client, tasks, wrote)
    if address is not None:
        client.look_ahead(partial(_following, steps, tasks, address))
    try:
        for _ in range(min(lanes, len(steps)) - 1):
            run.fork()
        yield from run.results()
        if last is not None:
            run.leave(last)
    finally:
        run.stop()
        tasks.close()
        client.close()


class _Tasks:
    """The numbers of the steps that nobody has begun, in a pipe that all forks read from.

    What one read takes, no other gets (https://man7.org/linux/man-pages/man7/pipe.7.html).
    """

    def __init__(self, count: int) -> None:
        self._pipe, fill = os.pipe()
        numbers = b"".join(_NUMBER.pack(number) for number in range(count))
        if len(numbers) > _PIPE_SIZE:
            fcntl.fcntl(fill, fcntl.F_SETPIPE_SZ, len(numbers))
        os.write(fill, numbers)
        os.close(fill)
        self._reserved: deque[int] = deque()

    def take(self) -> int | None:
        """The next number, or None when all are taken."""
        return self._reserved.popleft() if self._reserved else self._read()

    def reserve(self) -> int | None:
        """Another number that this lane will take, behind those it has reserved before."""
        number = self._read()
        if number is not None:
            self._reserved.append(number)
        return number

    def _read(self) -> int | None:
        data = os.read(self._pipe, _NUMBER.size)
        return int(_NUMBER.unpack(data)[0]) if data else None

    def close(self) -> None:
        os.close(self._pipe)


def _following(
    steps: Sequence[Step], tasks: _Tasks, address: Callable[[Step], str | None]
) -> tuple[str, int] | None:
    """Where the next file of a lane is, and how large."""
    number = tasks.reserve()
    if number is None or (url := address(steps[number])) is None:
        return None
    size = steps[number].size
    return None if size is None else (url, size)


class _Run(Generic[R]):
    def __init__(
        self,
        steps: Sequence[Step],
        work: Work[R],
        client: HttpClient,
        tasks: _Tasks,
        wrote: Callable[[int], None],
    ) -> None:
        self._steps = steps
        self._work = work
        self._client = client
        self._tasks = tasks
        self._wrote = wrote
        self._unseen = 0
        self._finished: dict[int, R] = {}
        self._forks: dict[int, _Fork] = {}
        # Ends of pipes that are ours alone, one for each fork: they close when we end, however we
        # end. Forks cannot share one, for only one process is told of what happens to a pipe.
        self._alive: list[int] = []
        # Whoever has frozen what he holds keeps it so.
        self._thaws = gc.get_freeze_count() == 0

    def fork(self) -> None:
        """Begin one more lane."""
        listening, speaking = os.pipe()
        parent_lives, alive = os.pipe()
        self._alive.append(alive)
        # What the collector does not look at stays shared between us.
        gc.freeze()
        pid = os.fork()
        if pid:
            os.close(speaking)
            os.close(parent_lives)
            self._forks[listening] = _Fork(pid, listening)
            return
        status = 1
        try:
            os.close(listening)
            for end in self._alive:
                os.close(end)
            end_with_parent(parent_lives)
            self._lane(speaking)
            status = 0
        except BaseException:  # noqa: BLE001  # a fork must never return into its parent's code
            traceback.print_exc()
        finally:
            os._exit(status)

    def results(self) -> Iterator[R]:
        """Work as a lane ourselves, then wait for the others."""
        following = 0
        while (number := self._tasks.take()) is not None:
            self._finished[number] = self._work(
                number, self._steps[number], self._client, self._own_wrote
            )
            self._tell()
            self._listen(wait=False)
            while following in self._finished:
                yield self._finished.pop(following)
                following += 1
        while following < len(self._steps):
            if following in self._finished:
                yield self._finished.pop(following)
                following += 1
            else:
                self._listen(wait=True)

    def leave(self, last: ExitStack) -> None:
        """Let the forks end by themselves, for nothing is left to do; ``last`` waits for them."""
        for fork in self._forks.values():
            os.close(fork.pipe)
            last.callback(os.waitpid, fork.pid, 0)
        self._forks.clear()

    def stop(self) -> None:
        """End all forks, whatever they are at."""
        for fork in self._forks.values():
            os.kill(fork.pid, signal.SIGKILL)
        for fork in self._forks.values():
            os.waitpid(fork.pid, 0)
            os.close(fork.pipe)
        self._forks.clear()
        for end in self._alive:
            os.close(end)
        if self._thaws:
            gc.unfreeze()

    def _own_wrote(self, size: int) -> None:
        self._unseen += size
        if self._unseen >= _TELL_AFTER:
            self._tell()
            self._listen(wait=False)

    def _tell(self) -> None:
        if self._unseen:
            self._wrote(self._unseen)
            self._unseen = 0

    def _listen(self, *, wait: bool) -> None:
        """Take what the forks have to say. Raises what went wrong in one of them."""
        ready, _, _ = select.select(list(self._forks), [], [], None if wait else 0)
        for pipe in ready:
            fork = self._forks[pipe]
            for kind, number, content in fork.read():
                if kind == "wrote":
                    self._wrote(content)
                elif kind == "result":
                    self._finished[number] = content
                else:
                    raise content
            if fork.ended:
                del self._forks[pipe]
                os.close(pipe)
                _, status = os.waitpid(fork.pid, 0)
                if os.WIFSIGNALED(status):
                    raise LaneKilled(signal.Signals(os.WTERMSIG(status)).name)
                if status:
                    raise RuntimeError("a lane has failed; what it said is above")

    def _lane(self, speaking: int) -> None:
        """The life of a fork."""
        unseen = 0

        def wrote(size: int) -> None:
            nonlocal unseen
            unseen += size
            if unseen >= _TELL_AFTER:
                _say(speaking, "wrote", 0, unseen)
                unseen = 0

        while (number := self._tasks.take()) is not None:
            try:
                result = self._work(number, self._steps[number], self._client, wrote)
            except Exception as error:  # noqa: BLE001  # raised again in the parent
                _say(speaking, "error", number, portable(error))
                return
            if unseen:
                _say(speaking, "wrote", 0, unseen)
                unseen = 0
            _say(speaking, "result", number, result)


class _Fork:
    """What the parent knows of a fork."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.pipe = pipe
        self.ended = False
        self._pending = b""

    def read(self) -> Iterator[tuple[str, int, Any]]:
        """The messages that are complete by now."""
        data = os.read(self.pipe, _READ)
        self.ended = not data
        self._pending += data
        while len(self._pending) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._pending)[0]
            if len(self._pending) < end:
                break
            message = self._pending[_LENGTH.size : end]
            self._pending = self._pending[end:]
            # It was written by a fork of ourselves.
            yield pickle.loads(message)  # noqa: S301


def _say(pipe: int, kind: str, number: int, content: object) -> None:
    message = pickle.dumps((kind, number, content))
    data = memoryview(_LENGTH.pack(len(message)) + message)
    while data:
        data = data[os.write(pipe, data) :]
