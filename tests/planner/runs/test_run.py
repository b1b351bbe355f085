"""A run is what its log tells, also if it was killed at any moment."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from helpers.run_logs import MIB, beginning, sample, wheel_events, whole_log, write_log
from planner.runs.advice import advise
from planner.runs.reading import read_run
from planner.runs.run import STATES


def test_the_figures_are_those_of_the_log(tmp_path: Path) -> None:
    run = read_run(str(write_log(tmp_path / "log", whole_log(5))))
    assert (run.outcome, run.lanes, run.limit, run.peak) == ("done", 2, 64 * MIB, 60 * MIB)
    assert len(run.complete()) == 5
    assert sum(wheel.fetched for wheel in run.wheels.values()) == 10 * MIB
    assert [step for step, _ in run.commit] == ["checks", "journal", "moves", "done"]


def test_the_time_of_a_wheel_is_divided_as_it_was_spent(tmp_path: Path) -> None:
    log = [*beginning(), *wheel_events("one", 1.0, 2.0)]
    wheel = read_run(str(write_log(tmp_path / "log", log))).wheels["one"]
    assert (wheel.begin, wheel.end) == (1.0, 3.0)
    for number, share in enumerate((0.4, 0.6, 1.0)):
        assert sum(one.spent[number] for one in wheel.intervals) == pytest.approx(share)
        assert getattr(wheel, STATES[number]) == pytest.approx(share)
    edges = [(one.begin, one.end) for one in wheel.intervals]
    assert all(end == pytest.approx(begin) for (_, end), (begin, _) in pairwise(edges))


def test_without_a_limit_a_run_is_not_charged_for_what_others_hold(tmp_path: Path) -> None:
    log = [*beginning(), sample(0.3, 900 * MIB)]
    log[2]["memory"] = None
    log[3]["processes"].update(anonymous=30 * MIB, shared=MIB)
    run = read_run(str(write_log(tmp_path / "log", log)))
    assert (run.peak, run.peak_kind) == (31 * MIB, "of our processes, largest sample")
    assert not run.samples_group


@pytest.mark.parametrize(
    ("source", "before", "peak", "kind"),
    [
        ("--memory", 500, 31, "of our processes, largest sample"),
        ("/proc/meminfo", 500, 31, "of our processes, largest sample"),
        ("--memory", 20, 530, "largest sample"),
        ("/sys/fs/cgroup/memory.max", 500, 530, "largest sample"),
    ],
)
def test_a_limit_of_the_run_is_not_compared_with_what_others_hold_in_its_group(
    tmp_path: Path, source: str, before: int, peak: int, kind: str
) -> None:
    log = [*beginning(), sample(0.1, before * MIB), sample(2.0, 530 * MIB)]
    log[2]["source"] = source
    for one in log[-2:]:
        one["processes"].update(anonymous=30 * MIB, shared=MIB)
    run = read_run(str(write_log(tmp_path / "log", log)))
    assert (run.peak, run.peak_kind) == (peak * MIB, kind)
    [shown] = [line for line in advise(run) if line.startswith("At most")]
    assert ("were charged" in shown) is (peak == 530)
    figures = {"charged_peak": 540 * MIB, "charged_before": before * MIB, "sampled": True}
    done = [*log, {**whole_log(1)[-1], "at": 3.0, **figures}]
    run = read_run(str(write_log(tmp_path / "done", done)))
    assert run.peak == (540 if peak == 530 else 31) * MIB
