"""The first sentences of a report say what limited a run, and what would help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.run_logs import MIB, beginning, event, sample, wheel_events, whole_log, write_log
from planner.runs.advice import advise, error_lines, verdict
from planner.runs.markdown import to_markdown
from planner.runs.reading import read_run
from planner.runs.run import Run


def run_of(path: Path, log: list[dict[str, Any]]) -> Run:
    return read_run(str(write_log(path / "log", log)))


def test_a_whole_run(tmp_path: Path) -> None:
    run = run_of(tmp_path, whole_log(5))
    assert verdict(run) == f"Installed 5 packages in {run.seconds:.1f} s."
    assert [*advise(run)] == [
        "Time of the lanes: waiting for the network 20%, unpacking 30%, writing 50%.",
        (
            "Memory allows 2 of 4 lanes; 80.0 MiB would allow one more, which would help little: "
            "the disk is what is waited for."
        ),
        "At most 60.0 MiB of 64.0 MiB were charged.",
    ]


def test_a_killed_run_says_what_was_at_work(tmp_path: Path) -> None:
    log = [*beginning(), *wheel_events("one", 1.0, 2.0)[:3], sample(2.1, 64 * MIB)]
    run = run_of(tmp_path, log)
    assert verdict(run) == (
        "The log ends after 2.1 s without an end: the run was killed while it was at one 1.0 (50% "
        "of 2.0 MiB read)."
    )
    assert [*advise(run)][-1] == (
        "At most 64.0 MiB of 64.0 MiB were charged: the limit was reached. If the kernel killed "
        "the run, give it more memory."
    )


def test_a_kill_in_the_commit_is_no_damage(tmp_path: Path) -> None:
    run = run_of(tmp_path, [*beginning(), event("commit", 3.0, step="moves")])
    assert verdict(run).endswith(
        "killed while it was changing the environment; the next run finishes that."
    )


def test_a_failure_says_why_and_what_to_do(tmp_path: Path) -> None:
    end = event("end", 2.0, ok=False, status=5, error="no answer", kind="Unreachable", hint="wait",
                left=None)  # fmt: skip
    run = run_of(tmp_path, [*beginning(), end])
    assert verdict(run) == "Failed after 2.0 s: no answer"
    assert [*advise(run)] == ["Wait."]


def test_what_a_program_has_said_is_not_part_of_the_sentence(tmp_path: Path) -> None:
    error = "one: the build failed\n  | gcc: no\n  | ```` \n"
    end = event("end", 2.0, ok=False, status=8, error=error, kind="BuildFailed", hint=None,
                left=None)  # fmt: skip
    run = run_of(tmp_path, [*beginning(), end])
    assert verdict(run) == "Failed after 2.0 s: one: the build failed"
    assert error_lines(run) == ["one: the build failed", "  | gcc: no", "  | ```` "]
    assert "`````\n  | gcc: no\n  | ```` \n`````\n" in to_markdown([run])


def test_builds_are_not_advised_a_second_lane(tmp_path: Path) -> None:
    run = run_of(tmp_path, [*beginning(), *wheel_events("one", 1.0, 2.0)])
    run.wheels["one"].building = 9.0
    run.budget["lanes"] = run.budget["wanted"]
    assert [*advise(run)] == [
        "Builds took 9.0 s of a lane.",
        "Time of the lanes: waiting for the network 20%, unpacking 30%, writing 50%.",
    ]


@pytest.mark.parametrize(
    ("processors", "advice"),
    [
        (4, "one lane more would help, as there is a processor for it (--lanes)"),
        (2, "more or faster processors would help"),
        (None, "more or faster processors would help"),
    ],
)
def test_a_lane_is_advised_if_there_is_a_processor_for_it(
    tmp_path: Path, processors: int | None, advice: str
) -> None:
    log = [*beginning(), *wheel_events("one", 1.0, 2.0)]
    log[2]["wanted"] = log[2]["lanes"]
    if processors:
        log[0]["processors"] = processors
    log[-1].update(waiting=0.1, writing=0.1, unpacking=9.0)
    assert f"Most of the time was unpacking: {advice}." in advise(run_of(tmp_path, log))
