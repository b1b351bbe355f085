"""Faults at system calls: run work in a fork, list its calls, or let one of them kill or fail it.

``strace`` attaches to the fork before it starts. It can kill the fork at its n-th call of a name,
or let that call fail (``-e inject``, https://man7.org/linux/man-pages/man1/strace.1.html). Only the
thread that does the work is traced. This needs strace, and root or a ptrace_scope of 0.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import LockstreamError

__all__ = [
    "CHANGING",
    "End",
    "Point",
    "can_inject",
    "points_of",
    "run_at_once",
    "run_in_fork",
    "run_with_fault",
]

CHANGING = (
    "openat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir",
    "link", "linkat", "symlink", "symlinkat", "write", "pwrite64", "pwritev", "pwritev2", "close",
    "fsync", "fdatasync", "syncfs", "chmod", "fchmod", "fchmodat", "utimensat", "flock",
    "ftruncate", "fallocate", "sync_file_range", "copy_file_range", "sendfile", "io_submit",
)  # fmt: skip
"""Calls that change a tree, flush it to the disk, or lock it."""

_CALL = re.compile(r"(\w+)\((.*)")
_READS = re.compile(r"O_RDONLY(?!.*O_CREAT)")


@dataclass(frozen=True, slots=True)
class Point:
    """The ``number``-th call of a name in a process, from 1."""

    call: str
    number: int

    def __str__(self) -> str:
        return f"{self.call} {self.number}"


@dataclass(frozen=True, slots=True)
class End:
    """How a fork ended; made by the functions of this module."""

    status: int
    """0 if the work is done, the negative signal if the fork was killed, the exit code of a
    LockstreamError, 99 for any other error."""
    message: str
    """The error and its hint."""


def can_inject() -> bool:
    """Return whether strace is installed and may attach to a fork of this process."""
    if shutil.which("strace") is None:
        return False
    with _fork(lambda: None) as fork:
        try:
            _attach(fork, "-o", os.devnull)
        except RuntimeError:
            return False
    return True


def points_of(work: Callable[[], object], root: Path) -> list[Point]:
    """Run ``work`` in a fork, and return its calls that change something below ``root``, in
    order."""
    calls = ",".join(f"?{call}" for call in CHANGING)
    trace = root.with_name(f"{root.name}.trace")
    with _fork(work) as fork:
        _attach(fork, "-y", "-o", str(trace), "-e", f"trace={calls}")
    if fork.end.status:
        raise RuntimeError(f"the work fails undisturbed: {fork.end.message}")
    return list(_points(trace, root))


def run_with_fault(work: Callable[[], object], point: Point, strike: str) -> End:
    """Run ``work`` in a fork with a fault at ``point``: ``signal=KILL``, or ``error=`` with the
    name of an error code.
    """
    inject = f"inject={point.call}:{strike}:when={point.number}"
    with _fork(work) as fork:
        _attach(fork, "-o", os.devnull, "-e", f"trace={point.call}", "-e", inject)
    return fork.end


def run_in_fork(work: Callable[[], object]) -> End:
    """Run ``work`` in a fork, without a fault."""
    with _fork(work) as fork:
        pass
    return fork.end


def run_at_once(*works: Callable[[], object]) -> list[End]:
    """Run each of ``works`` in a fork of its own, all at the same time."""
    forks = [_Fork(work) for work in works]
    for fork in forks:
        fork.go()
    for fork in forks:
        fork.finish()
    return [fork.end for fork in forks]


def _points(trace: Path, root: Path) -> Iterator[Point]:
    numbers: Counter[str] = Counter()
    for line in trace.read_text(errors="replace").splitlines():
        if (found := _CALL.match(line)) is None:
            continue
        call, arguments = found.groups()
        numbers[call] += 1
        is_below = any(f"{root}{end}" in arguments for end in '/>"')
        if is_below and not (call == "openat" and _READS.search(arguments)):
            yield Point(call, numbers[call])


class _Fork:
    """A fork that waits for ``go``; ``finish`` waits for its end."""

    def __init__(self, work: Callable[[], object]) -> None:
        held, self._go = os.pipe()
        self._answer, answer = os.pipe()
        self.tracer: subprocess.Popen[str] | None = None
        self.end = End(0, "")
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._go)
            os.close(self._answer)
            os.read(held, 1)
            os._exit(_exit_status(work, answer))
        os.close(held)
        os.close(answer)

    def go(self) -> None:
        """Let the fork start its work."""
        os.write(self._go, b"!")
        os.close(self._go)

    def finish(self) -> None:
        """Wait for the fork, and set ``end``."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        with open(self._answer, "rb") as answer:
            message = answer.read() if status > 0 else b""
        if self.tracer is not None:
            self.tracer.communicate()
        self.end = End(status, message.decode(errors="replace"))


@contextmanager
def _fork(work: Callable[[], object]) -> Iterator[_Fork]:
    fork = _Fork(work)
    try:
        yield fork
    finally:
        fork.go()
        fork.finish()


def _attach(fork: _Fork, *options: str) -> subprocess.Popen[str]:
    """Attach strace to the fork, and return its process. Raises RuntimeError if it cannot."""
    command = ("strace", "-p", str(fork.pid), *options)
    fork.tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert fork.tracer.stderr is not None
    if "attached" not in (line := fork.tracer.stderr.readline()):
        raise RuntimeError(line.strip())
    return fork.tracer


def _exit_status(work: Callable[[], object], answer: int) -> int:
    try:
        work()
    except LockstreamError as error:
        os.write(answer, f"{error}; {error.hint}".encode())
        return int(error.exit_code)
    except BaseException:  # noqa: BLE001  # reported to the parent
        os.write(answer, traceback.format_exc().encode()[-4000:])
        return 99
    finally:
        sys.stdout.flush()
    return 0
