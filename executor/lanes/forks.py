"""Run a function in a forked child and return its result, so that its memory is freed with it.

Reading a lock imports tomllib and the grammar of markers, and fragments the memory: an execution
would keep 1.3 MiB to its end, of a budget that may be 32 MiB in all.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pickle
import select
import signal
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import Generic, NoReturn, TypeVar

from executor.lanes.errors import ForkKilled, NoProcess
from executor.lanes.signals import STOPPING, held_back

__all__ = [
    "NO_PROCESS",
    "Fork",
    "WaitingFork",
    "end_fork",
    "end_with_parent",
    "portable",
    "run_in_fork",
]


NO_PROCESS = {errno.EAGAIN, errno.ENOMEM, errno.EPERM, errno.ENOSYS}
"""The errors of fork(2) if a limit of processes (pids.max, RLIMIT_NPROC) or memory is reached, or
if a filter of system calls refuses it."""


Q = TypeVar("Q")
R = TypeVar("R")


def run_in_fork(work: Callable[[], R]) -> R:
    """Return what ``work`` returns, or raise what it raises; both can be pickled.

    Whatever else it changes in memory is lost. Raises ForkKilled if a signal ends the fork, and
    NoProcess if none can be made.
    """
    with closing(Fork(work)) as fork:
        return fork.result()


class Fork(Generic[R]):
    """A fork that is at work while this process does something else.

    The constructor raises NoProcess if none can be made.
    """

    def __init__(self, work: Callable[[], R]) -> None:
        self.pid = 0
        """The number of its process; 0 when it has been waited for."""
        self._reading, writing = os.pipe()
        parent_lives, self._alive = os.pipe()
        try:
            # The after-fork hooks of the interpreter would lose a signal.
            with held_back():
                self.pid = _fork((writing, parent_lives))
                if self.pid == 0:
                    os.close(self._reading)
                    os.close(self._alive)
                    _run_and_exit(work, writing, parent_lives)
                os.close(writing)
                os.close(parent_lives)
        except BaseException:
            self.close()
            raise

    def result(self) -> R:
        """Wait for what the work returns, or raise what it raises. Raises ForkKilled if a signal
        ends it. It can be called once.
        """
        try:
            with open(self._reading, "rb", closefd=False) as stream:
                # A fork of this process has written it.
                result, error = pickle.load(stream)  # noqa: S301
        except (EOFError, pickle.UnpicklingError):
            _, status = os.waitpid(self.pid, 0)
            self.pid = 0
            if os.WIFSIGNALED(status):
                raise ForkKilled(status) from None
            raise RuntimeError("a fork has failed; it has printed the reason") from None
        if error is not None:
            raise error
        done: R = result
        return done

    def close(self) -> None:
        """End the fork, if it is still at work. It can be called twice."""
        pipes, self._reading, self._alive = (self._reading, self._alive), -1, -1
        for descriptor in pipes:
            if descriptor >= 0:
                # Linux has closed it, whatever the answer: nothing is lost of what was only read.
                with suppress(OSError):
                    os.close(descriptor)
        if self.pid:
            # That the pipe is closed ends it, too.
            end_fork(self.pid)
            # Who started the program may ignore the ends of children: they leave nothing.
            with suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            self.pid = 0


class WaitingFork(Generic[Q, R]):
    """A fork that prepares itself, and then waits for what to work on.

    The constructor raises NoProcess if none can be made.
    """

    def __init__(self, prepare: Callable[[], Callable[[Q], R]]) -> None:
        """``prepare`` is called in the fork, and returns what answers the question."""
        question, self._asking = os.pipe()
        try:
            self._fork = Fork(partial(_answer, prepare, question, self._asking))
        except BaseException:
            os.close(self._asking)
            raise
        finally:
            os.close(question)

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        return self._fork.pid

    def ask(self, question: Q) -> None:
        """Give the fork what to work on, which can be pickled. It can be called once."""
        asking, self._asking = self._asking, -1
        # If the fork has ended, ``result`` says why.
        with suppress(BrokenPipeError), open(asking, "wb") as stream:
            pickle.dump(question, stream)

    def result(self) -> R:
        """Wait for the answer. Raises what ``Fork.result`` raises."""
        return self._fork.result()

    def close(self) -> None:
        """End the fork, if it is still there. It can be called twice."""
        asking, self._asking = self._asking, -1
        if asking >= 0:
            with suppress(OSError):
                os.close(asking)
        self._fork.close()


def _answer(prepare: Callable[[], Callable[[Q], R]], question: int, asking: int) -> R:
    """Return what ``prepare`` answers to what comes through the pipe ``question``. This is the
    fork, which has a copy of the other end, too.
    """
    os.close(asking)
    work = prepare()
    with open(question, "rb") as stream:
        # The process that made this fork has written it.
        asked = pickle.load(stream)  # noqa: S301
    return work(asked)


def _fork(pipes: tuple[int, ...]) -> int:
    """Return what ``os.fork`` returns. Raises NoProcess, after closing ``pipes``."""
    try:
        return os.fork()
    except OSError as error:
        for end in pipes:
            os.close(end)
        if error.errno in NO_PROCESS:
            raise NoProcess from None
        raise


def _run_and_exit(work: Callable[[], object], writing: int, parent_lives: int) -> NoReturn:
    """Write the result of ``work``, or its error, to the pipe ``writing``. This is the fork."""
    status = 1
    try:
        outcome: tuple[object, Exception | None]
        try:
            end_with_parent(parent_lives)
            outcome = work(), None
        except Exception as error:  # noqa: BLE001  # the parent raises it again
            outcome = None, portable(error)
        with open(writing, "wb") as stream:
            pickle.dump(outcome, stream)
        status = 0
    except BrokenPipeError:
        pass  # the parent waits no longer
    except BaseException:  # noqa: BLE001  # a fork must never return into its parent's code
        import traceback  # noqa: PLC0415  # only a defect needs it

        traceback.print_exc()
    finally:
        os._exit(status)


def portable(error: Exception) -> Exception:
    """Return ``error``, or a RuntimeError with its traceback if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # whatever its pickling raises
        import traceback  # noqa: PLC0415  # only a defect needs it

        return RuntimeError("".join(traceback.format_exception(error)))
    return error


def end_with_parent(pipe: int) -> None:
    """Let the kernel end this fork when its parent ends, which closes the other end of ``pipe``.

    The kernel sends SIGIO when the pipe changes (F_SETOWN,
    https://man7.org/linux/man-pages/man2/fcntl.2.html), which ends a process without a handler.
    """
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    if poll.poll(0):
        os._exit(0)


def end_fork(process: int) -> None:
    """Kill a fork of this process. If a filter of system calls refuses it, the pipe by which the
    fork knows that its parent lives ends it, once that is closed.
    """
    with suppress(OSError):
        os.kill(process, signal.SIGKILL)
