"""What becomes of a build after an attempt: another one, with more memory, or a clear end."""

from __future__ import annotations

from helpers.build_units import build_unit
from planner.engines.attempt import (
    ATTEMPTS,
    Attempt,
    failure,
    lost,
    next_attempt,
    too_large,
)
from planner.engines.order import BuildResult
from schemas.errors import ExitCode

MIB = 1 << 20

WORKER = frozenset({"tcp://192.0.2.1:1"})


def test_a_network_that_fails_is_tried_some_times_with_the_same_memory() -> None:
    task: Attempt | None = Attempt(build_unit(), 512 * MIB, workers=WORKER)
    tried = 0
    while task is not None:
        assert task.memory == 512 * MIB
        tried += 1
        task = next_attempt(task, BuildResult(status=ExitCode.NETWORK, text="no answer"))
    assert tried == ATTEMPTS


def test_what_lacked_memory_gets_the_next_class_until_there_is_none() -> None:
    task: Attempt | None = Attempt(build_unit(), 512 * MIB)
    sizes = []
    while task is not None:
        sizes.append(task.memory >> 20)
        task = next_attempt(task, lost(3))
    assert sizes == [512, 1024, 2048, 4096, 8192, 16384, 32768]


def test_a_build_that_fails_is_not_tried_again() -> None:
    task = Attempt(build_unit(), 512 * MIB)
    assert next_attempt(task, BuildResult(status=ExitCode.BUILD_FAILED, text="")) is None


def test_an_end_says_what_happened() -> None:
    told = failure(Attempt(build_unit(), 512 * MIB), lost(3))
    assert str(told) == (
        "demo==1.0 for cp312-manylinux_2_28_x86_64: the build ended with status 7\n"
        "  | its workers were lost 3 times, perhaps for lack of memory"
    )


def test_what_no_worker_can_hold_says_why_so_much_is_wanted() -> None:
    task = next_attempt(Attempt(build_unit(), 512 * MIB, workers=WORKER), lost(3))
    assert task is not None
    told = too_large(task, [512 * MIB, 256 * MIB])
    assert "it needs 1,024.0 MiB of memory, and the largest worker for this target" in str(told)
    assert "its workers were lost 3 times" in str(told)
    assert told.status == ExitCode.NOT_ENOUGH


def test_workers_that_are_gone_are_told_from_those_that_never_were() -> None:
    gone = too_large(Attempt(build_unit(), 512 * MIB, workers=WORKER), [])
    assert (gone.reason, gone.status) == ("no worker for this target is left", ExitCode.NOT_ENOUGH)
    never = too_large(Attempt(build_unit(), 512 * MIB), [])
    assert never.reason == "no worker of the cluster builds for this target"
    assert never.status == ExitCode.BUILD_FAILED
