"""A fork returns or raises what its function does, and leaves nothing in memory."""

from __future__ import annotations

import errno
import gc
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest

from executor.lanes.errors import ForkKilled, NoProcess
from executor.lanes.forks import Fork, WaitingFork, portable, run_in_fork
from executor.lock.errors import Ambiguous, NeedsBuild, UnknownName
from helpers.descriptors import high_numbers
from helpers.processes import is_without_forks
from schemas.errors import ExitCode, LockstreamError, UsageError

ERRORS = [
    Ambiguous(package="demo", first_line=1, second_line=2),
    NeedsBuild(("demo (directory)",)),
    UnknownName(kind="extra", name="more", known=()),
    UsageError("that cannot be meant", hint="mean something else"),
]


def raising(error: BaseException) -> NoReturn:
    raise error


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that has to come."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_at_work(pid: int) -> bool:
    """Whether there is such a process, and not only its status for whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_what_is_returned_comes_from_another_process() -> None:
    done, pid = run_in_fork(lambda: ({"a": [1, b"2"]}, os.getpid()))
    assert done == {"a": [1, b"2"]}
    assert pid != os.getpid()
    assert is_without_forks()


def test_what_it_imports_and_changes_does_not_stay() -> None:
    changed: list[int] = []

    def work() -> bool:
        import this  # noqa: F401

        changed.append(1)
        return "this" in sys.modules

    stdout = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        assert run_in_fork(work)
    finally:
        os.dup2(stdout, 1)
    assert "this" not in sys.modules
    assert not changed


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_arrives_whole(error: LockstreamError) -> None:
    error.left = "something"
    with pytest.raises(type(error)) as caught:
        run_in_fork(lambda: raising(error))
    assert (str(caught.value), caught.value.hint) == (str(error), error.hint)
    assert vars(caught.value) == vars(error)
    assert caught.value.exit_code is error.exit_code
    assert is_without_forks()


def test_an_error_of_the_system_keeps_its_number_and_file() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        run_in_fork(lambda: os.stat("/not/there"))
    assert caught.value.filename == "/not/there"


def test_one_that_cannot_be_pickled_is_told_in_words() -> None:
    class Local(Exception):
        pass

    with pytest.raises(RuntimeError, match="Local: why"):
        run_in_fork(lambda: raising(Local("why")))
    assert pickle.dumps(portable(Local("why")))


def test_a_fork_that_is_killed_is_a_shortage() -> None:
    with pytest.raises(ForkKilled) as caught:
        run_in_fork(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert str(caught.value) == "the process that reads the lock was killed (SIGKILL)"
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH
    assert is_without_forks()


def test_whoever_is_interrupted_leaves_no_fork_behind() -> None:
    parent = os.getpid()
    # What a shell starts in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def work() -> None:
        # A signal is lost if it arrives while the parent is still forking, or just before it blocks
        # in its read.
        time.sleep(0.1)
        while True:
            os.kill(parent, signal.SIGINT)
            time.sleep(1)

    gc.disable()  # hypothesis calls back when it runs, and what is raised there is lost
    try:
        with pytest.raises(KeyboardInterrupt):
            run_in_fork(work)
    finally:
        gc.enable()
        signal.signal(signal.SIGINT, before)
    assert is_without_forks()


def test_it_ends_with_whoever_waits_for_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"

    def work() -> None:
        (tmp_path / "new").write_text(str(os.getpid()))
        (tmp_path / "new").rename(told)
        signal.pause()

    waiting = os.fork()
    if waiting == 0:
        run_in_fork(work)
        os._exit(1)
    until(told.exists)
    os.kill(waiting, signal.SIGKILL)
    os.waitpid(waiting, 0)
    until(lambda: not is_at_work(int(told.read_text())))


def test_a_result_that_cannot_be_pickled_is_a_defect(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="a fork has failed"):
        run_in_fork(lambda: lambda: None)
    assert "pickle" in capfd.readouterr().err
    assert is_without_forks()


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM])
def test_a_limit_of_processes_is_named_and_leaves_no_descriptor_open(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused() -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fork", refused)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(NoProcess, match="further process") as caught:
        run_in_fork(lambda: 1)
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH
    assert "--pids-limit" in caught.value.hint
    assert os.listdir("/proc/self/fd") == before


def test_a_program_that_holds_many_files_can_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with high_numbers(monkeypatch):
        assert run_in_fork(lambda: 3) == 3


def test_a_fork_that_may_not_be_killed_ends_when_its_parent_lets_go_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_process: int, _number: int) -> NoReturn:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refused)
    fork = Fork(lambda: time.sleep(3600))
    fork.close()
    assert is_without_forks()


def test_a_fork_that_may_not_watch_its_parent_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_pipe: int) -> NoReturn:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("executor.lanes.forks.end_with_parent", refused)
    with pytest.raises(PermissionError):
        run_in_fork(lambda: 3)


def test_an_interrupted_close_is_none_to_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    fork = Fork(lambda: time.sleep(3600))
    close = os.close

    def interrupted(descriptor: int) -> NoReturn:
        close(descriptor)
        raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))

    with monkeypatch.context() as patch:
        patch.setattr(os, "close", interrupted)
        fork.close()
    fork.close()
    assert is_without_forks()


class TestAForkThatWaits:
    def test_prepares_before_it_is_asked(self, tmp_path: Path) -> None:
        mark = tmp_path / "prepared"

        def prepare() -> Callable[[int], int]:
            mark.touch()
            return lambda number: number + os.getpid()

        with closing(WaitingFork[int, int](prepare)) as fork:
            until(mark.exists)
            fork.ask(1)
            assert fork.result() == 1 + fork.pid
        assert is_without_forks()

    def test_raises_what_its_preparation_raises(self) -> None:
        with closing(WaitingFork[int, int](lambda: raising(ERRORS[-1]))) as fork:
            fork.ask(1)
            with pytest.raises(UsageError, match="that cannot be meant"):
                fork.result()
        assert is_without_forks()

    def test_ends_if_it_is_never_asked(self) -> None:
        WaitingFork[int, int](lambda: abs).close()
        assert is_without_forks()

    def test_says_when_it_is_asked_that_it_was_killed(self) -> None:
        with closing(WaitingFork[int, int](lambda: abs)) as fork:
            os.kill(fork.pid, signal.SIGKILL)
            os.waitid(os.P_PID, fork.pid, os.WEXITED | os.WNOWAIT)
            fork.ask(1)
            with pytest.raises(ForkKilled):
                fork.result()
        assert is_without_forks()

    def test_holds_no_descriptor_afterwards(self) -> None:
        before = os.listdir("/proc/self/fd")
        with closing(WaitingFork[int, int](lambda: abs)) as fork:
            fork.ask(-1)
            assert fork.result() == 1
        assert os.listdir("/proc/self/fd") == before
