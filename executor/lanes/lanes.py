"""Work on several steps at once, and return the results in the order of the steps.

A lane is a process: this one, and for each further lane a fork of it. Threads would share one
interpreter lock, and most of the work is Python and system calls on small files: on 34,000 files
two threads took 3.5 s, as long as one, and two processes 2.0 s. A fork shares the interpreter and
all modules with its parent and adds about 7 MiB of its own.
"""

from __future__ import annotations

import gc
import os
import pickle
import select
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from executor.lanes.errors import LaneKilled
from executor.lanes.forks import NO_PROCESS, end_fork, end_with_parent, portable
from executor.lanes.signals import held_back
from executor.lanes.tasks import Tasks, coming, following
from executor.lock.step import Step

if TYPE_CHECKING:
    from executor.sources.client import HttpClient

__all__ = ["Work", "run_lanes"]


R = TypeVar("R")


Work = Callable[[int, Step, "HttpClient", Callable[[int], None]], R]
"""Does a step. Takes its number, the step, the client of the lane, and a function to call with the
number of bytes that were written. What it returns or raises can be pickled."""


_LENGTH = Struct("<Q")


_REPORT_AFTER = 1 << 20
"""Bytes written before a lane reports them, and looks whether another one has failed."""


_READ = 64 << 10
"""Bytes of messages read at once."""


def run_lanes(
    steps: Sequence[Step],
    work: Work[R],
    client: HttpClient,
    lanes: int,
    wrote: Callable[[int], None],
    address: Callable[[Step], str | None] | None = None,
    last: ExitStack | None = None,
) -> Iterator[R]:
    """Do ``work`` for each step, ``lanes`` of them at once; yield the results in their order.

    There are fewer lanes if no more processes can be made. ``wrote`` is called with the numbers of
    bytes that the lanes have written. Each lane has its own copy of ``client``, which must not be
    connected yet and is closed in the end. ``address`` returns the URL that a step will be fetched
    from, so that its lane can request it ahead; None if it will not be fetched. On success, closing
    ``last`` waits for the remaining lanes; the kernel takes about 30 ms to free each.

    Raises the first error of any lane, once all lanes have ended; LaneKilled if a signal ended one.
    """
    if not steps:
        return
    tasks = Tasks(len(steps))
    run = _Run(steps, work, client, tasks, wrote)
    if address is not None:
        client.look_ahead(
            partial(following, steps, tasks, address, lanes),
            partial(coming, steps, tasks, address, lanes),
        )
    try:
        for _ in range(min(lanes, len(steps)) - 1):
            if not run.fork():
                break
        yield from run.results()
        if last is not None:
            run.leave(last)
    finally:
        run.stop()
        tasks.close()
        client.close()


class _Run(Generic[R]):
    """The lanes of one call of ``run_lanes``, which owns it."""

    def __init__(
        self,
        steps: Sequence[Step],
        work: Work[R],
        client: HttpClient,
        tasks: Tasks,
        wrote: Callable[[int], None],
    ) -> None:
        self._steps = steps
        self._work = work
        self._client = client
        self._tasks = tasks
        self._wrote = wrote
        self._unreported = 0
        self._finished: dict[int, R] = {}
        self._forks: dict[int, _Fork] = {}
        # Ends of pipes that only this process has, one for each fork: they close when it ends, in
        # whatever way. Forks cannot share one: the kernel signals only one process for a pipe.
        self._alive: list[int] = []

    def fork(self) -> bool:
        """Begin one more lane; return whether a process could be made for it."""
        reading, writing = os.pipe()
        parent_lives, alive = os.pipe()
        # Objects that the collector does not visit stay shared between the processes. Whoever needs
        # the collector afterwards thaws them: to count them takes as long as to fetch a wheel.
        gc.freeze()
        with held_back():
            try:
                pid = os.fork()
            except OSError as error:
                for end in (reading, writing, parent_lives, alive):
                    os.close(end)
                if error.errno in NO_PROCESS:
                    return False
                raise
            self._alive.append(alive)
            if pid:
                os.close(writing)
                os.close(parent_lives)
                self._forks[reading] = _Fork(pid, reading)
                return True
        status = 1
        try:
            os.close(reading)
            for end in self._alive:
                os.close(end)
            self._lane(writing, parent_lives)
            status = 0
        except BaseException:  # noqa: BLE001  # a fork must never return into its parent's code
            import traceback  # noqa: PLC0415  # only a defect needs it

            traceback.print_exc()
        finally:
            os._exit(status)

    def results(self) -> Iterator[R]:
        """Work as a lane in this process, then wait for the others; yield all results."""
        following = 0
        while (number := self._tasks.take()) is not None:
            self._finished[number] = self._work(
                number, self._steps[number], self._client, self._own_wrote
            )
            self._report()
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
        """Let the forks end by themselves, as no step is left; closing ``last`` waits for them."""
        for fork in self._forks.values():
            os.close(fork.pipe)
            last.callback(os.waitpid, fork.pid, 0)
        self._forks.clear()

    def stop(self) -> None:
        """Kill all forks, whatever they do."""
        for fork in self._forks.values():
            end_fork(fork.pid)
        # That these pipes are closed ends the forks, too.
        for end in self._alive:
            os.close(end)
        for fork in self._forks.values():
            os.waitpid(fork.pid, 0)
            os.close(fork.pipe)
        self._forks.clear()

    def _own_wrote(self, size: int) -> None:
        self._unreported += size
        if self._unreported >= _REPORT_AFTER:
            self._report()
            self._listen(wait=False)

    def _report(self) -> None:
        if self._unreported:
            self._wrote(self._unreported)
            self._unreported = 0

    def _listen(self, *, wait: bool) -> None:
        """Read the messages of the forks. Raises the error of a step, and LaneKilled."""
        # Not select(2), which takes no descriptor from 1,024 on.
        poll = select.poll()
        for pipe in self._forks:
            poll.register(pipe, select.POLLIN)
        for pipe, _ in poll.poll(None if wait else 0):
            fork = self._forks[pipe]
            for kind, number, content in fork.read():
                if kind == "wrote":
                    self._wrote(content)
                elif kind == "result":
                    written, self._finished[number] = content
                    if written:
                        self._wrote(written)
                else:
                    raise content
            if fork.ended:
                del self._forks[pipe]
                os.close(pipe)
                _, status = os.waitpid(fork.pid, 0)
                if os.WIFSIGNALED(status):
                    raise LaneKilled(status)
                if status:
                    raise RuntimeError("a lane has failed; it has printed the reason")

    def _lane(self, writing: int, parent_lives: int) -> None:
        """Do steps until none is left, and send the results. This is a fork."""
        try:
            end_with_parent(parent_lives)
        except OSError as error:
            _send(writing, "error", 0, portable(error))
            return
        unreported = 0

        def wrote(size: int) -> None:
            nonlocal unreported
            unreported += size
            if unreported >= _REPORT_AFTER:
                _send(writing, "wrote", 0, unreported)
                unreported = 0

        while (number := self._tasks.take()) is not None:
            try:
                result = self._work(number, self._steps[number], self._client, wrote)
            except Exception as error:  # noqa: BLE001  # raised again in the parent
                _send(writing, "error", number, portable(error))
                return
            _send(writing, "result", number, (unreported, result))
            unreported = 0


class _Fork:
    """A further lane as its parent sees it: its process and its messages. The run owns it."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid = pid
        self.pipe = pipe
        self.ended = False
        self._pending = b""

    def read(self) -> Iterator[tuple[str, int, Any]]:
        """Yield the messages that are complete by now: kind, number of the step, content."""
        data = os.read(self.pipe, _READ)
        self.ended = not data
        self._pending += data
        while len(self._pending) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._pending)[0]
            if len(self._pending) < end:
                break
            message = self._pending[_LENGTH.size : end]
            self._pending = self._pending[end:]
            # A fork of this process has written it.
            yield pickle.loads(message)  # noqa: S301


def _send(pipe: int, kind: str, number: int, content: object) -> None:
    message = pickle.dumps((kind, number, content))
    data = memoryview(_LENGTH.pack(len(message)) + message)
    while data:
        data = data[os.write(pipe, data) :]
