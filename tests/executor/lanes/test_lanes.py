"""Lanes: whatever happens in them, results come in the order of the steps, and nobody is left."""

from __future__ import annotations

import errno
import gc
import os
import pickle
import resource
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import MISSING

import pytest

from executor.lanes.errors import LaneKilled
from executor.lanes.lanes import run_lanes
from executor.lock import errors
from executor.lock.step import Step
from executor.sources.client import HttpClient
from executor.sources.errors import HashMismatch, Unreachable
from executor.transaction import errors as shortage
from helpers.descriptors import high_numbers
from helpers.steps import steps
from schemas.digests import Mismatch
from schemas.errors import ExitCode, LockstreamError

SECONDS = 10.0
"""How long a lane waits for another before the test fails."""

MIB = 1 << 20

Wrote = Callable[[int], None]


class Client(HttpClient):
    closed = 0

    def close(self) -> None:
        self.closed += 1
        super().close()


class Gate:
    """Lets lanes of any process wait until one of them opens it."""

    def __init__(self) -> None:
        self._ends = os.pipe()

    def open(self) -> None:
        os.write(self._ends[1], b"x")

    def wait(self) -> None:
        if not select.select([self._ends[0]], [], [], SECONDS)[0]:
            raise TimeoutError

    def close(self) -> None:
        for end in self._ends:
            os.close(end)


@pytest.fixture(name="gate")
def closed_gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.close()


Meet = Callable[..., int]


@pytest.fixture
def meet(gate: Gate) -> Iterator[Meet]:
    """Work of two steps that are at work at the same time; the number of its process."""
    back = Gate()

    def work(number: int, *_: object) -> int:
        mine, others = (gate, back) if number == 0 else (back, gate)
        mine.open()
        others.wait()
        return os.getpid()

    yield work
    back.close()


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    """No test leaves a process or a descriptor behind."""
    before = os.listdir("/proc/self/fd")
    yield
    assert os.listdir("/proc/self/fd") == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def lanes_of(
    work: Callable[[int, Step, HttpClient, Wrote], object],
    count: int,
    lanes: int,
    wrote: Wrote = lambda _: None,
) -> Iterator[object]:
    return run_lanes(steps(count), work, Client(), lanes, wrote)


@pytest.mark.parametrize("lanes", [1, 2, 3, 20])
def test_results_come_in_the_order_of_the_steps(lanes: int) -> None:
    def work(number: int, step: Step, *_: object) -> str:
        return f"{number} {step.name}"

    assert list(lanes_of(work, 10, lanes)) == [f"{number} p{number}" for number in range(10)]


def test_without_steps_there_is_nothing_to_do() -> None:
    assert list(lanes_of(lambda *_: pytest.fail("worked"), 0, 2)) == []


def test_each_step_is_done_once_however_many_there_are() -> None:
    count = 20_000
    assert list(lanes_of(lambda number, *_: number, count, 2)) == list(range(count))


def test_lanes_work_at_the_same_time(meet: Meet) -> None:
    assert len(set(lanes_of(meet, 2, 2))) == 2


def test_one_lane_is_this_process() -> None:
    assert set(lanes_of(lambda *_: os.getpid(), 5, 1)) == {os.getpid()}


def test_a_slow_first_step_holds_back_the_results_and_not_the_work(gate: Gate) -> None:
    def work(number: int, *_: object) -> int:
        if number == 0:
            gate.wait()
        if number == 4:
            gate.open()
        return number

    assert list(lanes_of(work, 5, 2)) == [0, 1, 2, 3, 4]


def test_a_large_result_arrives_whole() -> None:
    results = list(lanes_of(lambda number, *_: bytes([number]) * MIB, 6, 3))
    assert results == [bytes([number]) * MIB for number in range(6)]


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("size", [1, MIB - 1, 3 * MIB])
def test_all_that_was_written_is_told(lanes: int, size: int) -> None:
    told: list[int] = []

    def work(_number: int, _step: Step, _client: HttpClient, wrote: Wrote) -> None:
        wrote(size)

    list(lanes_of(work, 6, lanes, told.append))
    assert sum(told) == 6 * size


def test_the_client_is_closed_in_the_end() -> None:
    client = Client()
    list(run_lanes(steps(3), lambda *_: None, client, 2, lambda _: None))
    assert client.closed == 1


def is_child(pid: int) -> bool:
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def test_lanes_that_have_done_their_part_are_waited_for_last(meet: Meet) -> None:
    with ExitStack() as last:
        pids = {*run_lanes(steps(2), meet, Client(), 2, print, None, last)} - {os.getpid()}
        assert [is_child(pid) for pid in pids] == [True]
    assert [is_child(pid) for pid in pids] == [False]


def test_lanes_share_what_the_collector_does_not_visit() -> None:
    gc.unfreeze()
    assert list(lanes_of(lambda *_: gc.get_freeze_count() > 0, 4, 2)) == [True] * 4
    gc.unfreeze()


class TestErrors:
    @pytest.mark.parametrize("failing", [0, 1, 2])
    def test_an_error_of_any_lane_ends_the_work(self, failing: int) -> None:
        def work(number: int, _step: Step, _client: HttpClient, wrote: Wrote) -> int:
            if number == failing:
                raise HashMismatch("f", "o", Mismatch("sha256", "0", str(number)))
            if number > failing:
                for _ in range(1_000_000):
                    wrote(MIB)
            return number

        with pytest.raises(HashMismatch) as caught:
            list(lanes_of(work, 100, 2))
        assert caught.value.mismatch.found == str(failing)
        assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED

    def test_results_before_an_error_are_still_given(self) -> None:
        def work(number: int, *_: object) -> int:
            if number == 2:
                raise KeyError(number)
            return number

        results = lanes_of(work, 5, 1)
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(KeyError):
            next(results)

    def test_one_that_cannot_travel_is_told_in_words(self) -> None:
        class Local(Exception):
            pass

        parent = os.getpid()

        def work(*_: object) -> None:
            if os.getpid() != parent:
                raise Local("the cause")

        with pytest.raises(RuntimeError, match=r"(?s)Traceback.*Local: the cause"):
            list(self.until_the_fork_works(work))

    @pytest.mark.parametrize(
        ("number", "name", "hint"),
        [
            (signal.SIGKILL, "SIGKILL", "memory ran out: give a budget with --memory"),
            (signal.SIGXCPU, "SIGXCPU", "of processor time: raise that limit (ulimit -t)"),
            (signal.SIGSYS, "SIGSYS", "let the container's filter of system calls (seccomp)"),
            (signal.SIGUSR2, "SIGUSR2", "run the command again, and report it if no other"),
            (signal.SIGRTMIN + 1, str(signal.SIGRTMIN + 1), "run the command again"),
        ],
    )
    def test_a_lane_that_is_killed_is_told(self, number: int, name: str, hint: str) -> None:
        parent = os.getpid()

        def work(*_: object) -> None:
            if os.getpid() != parent:
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                os.kill(os.getpid(), number)

        with pytest.raises(LaneKilled) as caught:
            list(self.until_the_fork_works(work))
        assert str(caught.value) == f"the process of a lane was killed ({name})"
        assert caught.value.exit_code is ExitCode.NOT_ENOUGH
        assert hint in caught.value.hint

    def test_a_kill_where_processor_time_is_limited_is_no_lack_of_memory(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (600, 600))
        assert LaneKilled(signal.SIGKILL).hint == (
            "the environment is as it was before; a process may take 600 s of processor time: "
            "raise that limit (ulimit -t)"
        )

    @pytest.mark.parametrize(
        "end",
        [
            pytest.param(lambda: sys.exit(0), id="exit"),
            pytest.param(lambda: lambda: None, id="result that cannot travel"),
        ],
    )
    def test_a_lane_that_says_nothing_is_not_waited_for(
        self, end: Callable[[], object], capfd: pytest.CaptureFixture[str]
    ) -> None:
        parent = os.getpid()

        def work(*_: object) -> object:
            return end() if os.getpid() != parent else None

        with pytest.raises(RuntimeError, match="a lane has failed; it has printed the reason"):
            list(self.until_the_fork_works(work))
        assert "Traceback" in capfd.readouterr().err

    @staticmethod
    def until_the_fork_works(work: Callable[..., object]) -> Iterator[object]:
        """Two lanes, in which the fork begins the first step."""
        gate = Gate()
        parent = os.getpid()

        def waiting(*arguments: object) -> object:
            if os.getpid() == parent:
                gate.wait()
            else:
                gate.open()
            return work(*arguments)

        try:
            yield from lanes_of(waiting, 2, 2)
        finally:
            gate.close()

    def test_who_stops_listening_stops_the_lanes(self, gate: Gate) -> None:
        def work(number: int, *_: object) -> int:
            if number == 1:
                gate.wait()
            return number

        results = lanes_of(work, 2, 2)
        assert next(results) == 0
        results.close()  # type: ignore[attr-defined]  # a generator

    @pytest.mark.parametrize("lanes", [2, 4])
    def test_forks_end_with_the_process_that_made_them(self, lanes: int) -> None:
        program = textwrap.dedent(
            """
            import os, sys, time
            from executor.lanes.lanes import run_lanes
            from executor.sources.client import HttpClient

            def work(number, *_):
                os.write(1, b"%d\\n" % os.getpid())  # at once: lines of lanes must not mingle
                time.sleep(60)

            list(run_lanes([None] * LANES, work, HttpClient(), LANES, print))
            """
        ).replace("LANES", str(lanes))
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            try:
                pids = [int(process.stdout.readline()) for _ in range(lanes)]
            finally:
                process.kill()
            assert len(set(pids)) == lanes
            # All have the pipe open that they print to; it ends with the last of them.
            # Were one left, it would sleep with it open.
            assert select.select([process.stdout], [], [], SECONDS)[0]
            assert process.stdout.read() == ""


def instances() -> Iterator[LockstreamError]:
    """One of each error that the executor defines, with something in each field."""
    samples = {"error": OSError(28, "No space left on device"), "mismatch": Mismatch("a", "b", "c")}
    types: dict[str, object] = {"str": "x", "int": 3}
    for module in (errors, shortage):
        for name in module.__all__:
            kind = getattr(module, name)
            if isinstance(kind, type) and issubclass(kind, LockstreamError):
                fields = getattr(kind, "__dataclass_fields__", {})
                needed = [
                    samples.get(field.name) or types.get(str(field.type), ("x",))
                    for field in fields.values()
                    if field.init
                    and (field.name not in {"hint", "exit_code"} or field.default is MISSING)
                ]
                yield kind(*needed)


@pytest.mark.parametrize("error", list(instances()), ids=lambda error: type(error).__name__)
def test_every_error_can_travel_between_lanes(error: LockstreamError) -> None:
    arrived = pickle.loads(pickle.dumps(error))
    assert type(arrived) is type(error)
    assert (str(arrived), arrived.hint) == (str(error), error.hint)


def test_an_error_arrives_as_it_was_raised() -> None:
    error = Unreachable("https://example.com/x", "gone", hint="lock again")
    arrived = pickle.loads(pickle.dumps(error))
    assert (str(arrived), arrived.hint) == ("https://example.com/x: gone", "lock again")


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EPERM, errno.ENOSYS])
def test_there_are_fewer_lanes_if_no_more_processes_can_be_made(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused() -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fork", refused)
    before = len(os.listdir("/proc/self/fd"))
    assert list(lanes_of(lambda number, *_: (number, os.getpid()), 5, 4)) == [
        (number, os.getpid()) for number in range(5)
    ]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_program_that_holds_many_files_can_use_them(
    monkeypatch: pytest.MonkeyPatch, meet: Meet
) -> None:
    with high_numbers(monkeypatch):
        assert len(set(lanes_of(meet, 2, 2))) == 2


def test_lanes_that_may_not_be_killed_end_with_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_process: int, _number: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refused)
    parent = os.getpid()

    def work(*_: object) -> None:
        if os.getpid() != parent:
            time.sleep(3600)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(lanes_of(work, 2, 2))


def test_a_lane_that_may_not_watch_its_parent_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_pipe: int) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    def work(*_: object) -> None:
        time.sleep(0.01)  # the parent must not be done before the lanes have said so

    monkeypatch.setattr("executor.lanes.lanes.end_with_parent", refused)
    with pytest.raises(PermissionError):
        list(lanes_of(work, 3, 1000))
