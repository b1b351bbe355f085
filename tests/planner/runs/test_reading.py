"""A log is read to the run that it tells of, wherever it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.run_logs import MIB, beginning, event, sample, wheel_events, whole_log, write_log
from planner.runs.log import InvalidLog
from planner.runs.reading import read_run


@pytest.mark.parametrize("lines", range(1, 40))
def test_a_log_that_ends_anywhere_is_of_a_killed_run(tmp_path: Path, lines: int) -> None:
    run = read_run(str(write_log(tmp_path / "log", whole_log(5)[:lines], torn='{"ev')))
    assert run.outcome == "killed"
    assert len(run.complete()) + len([*run.at_work()]) == len(run.wheels)


def test_an_event_that_is_not_known_counts_for_nothing(tmp_path: Path) -> None:
    log = [*beginning(), {"event": "of a later version", "at": 0.1}, {"event": "limit", "at": 0.2}]
    assert read_run(str(write_log(tmp_path / "log", log))).seconds == 0.2


def test_an_event_without_its_fields_is_named(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log", [*beginning(), {"event": "begins", "at": 1}])
    with pytest.raises(InvalidLog) as caught:
        read_run(str(path))
    assert str(caught.value) == f"{path}: event 4 (begins) lacks a field"
    path = write_log(tmp_path / "log", [*beginning(), *wheel_events("one", 1.0, 2.0)[1:]])
    with pytest.raises(InvalidLog) as caught:
        read_run(str(path))
    assert str(caught.value) == f"{path}: event 4 (waits) is of a package that has not begun"


def test_a_build_that_has_not_ended_is_open(tmp_path: Path) -> None:
    log = [*beginning(), event("building", 1.0, package="one", planned=9, limit=10, jobs=1)]
    (build,) = read_run(str(write_log(tmp_path / "log", log))).builds
    assert (build.end, build.planned, build.limit, build.demand) == (None, 9, 10, None)


def test_what_others_hold_in_another_group_is_not_of_this_run(tmp_path: Path) -> None:
    samples = [sample(0.1, 900 * MIB), sample(0.2, 40 * MIB), sample(0.3, 900 * MIB)]
    for one, place in zip(samples, (0, 1, 0), strict=True):
        one["group"]["place"] = place
        one["processes"]["anonymous"] = 16 * MIB
    run = read_run(str(write_log(tmp_path / "log", [*beginning(), *samples])))
    assert run.has_own_group
    assert run.peak == 40 * MIB
    assert [one["group"]["usage"] for one in run.samples] == [16 * MIB, 40 * MIB, 16 * MIB]
    assert not any(run.samples[0]["group"][kind] for kind in ("cache", "kernel", "dirty"))


def test_each_step_of_a_build_of_a_plan_ends(tmp_path: Path) -> None:
    log = [
        *beginning(),
        event("building", 1.0, package="one.tar.gz", what="metadata"),
        event("prepared", 2.0, package="one.tar.gz", demand=None),
        event("building", 3.0, package="one.tar.gz", what="measuring, jobs 1"),
        event("prepared", 5.0, package="one.tar.gz", demand=7),
        event("built", 5.5, package="one.tar.gz", seconds=2.0, demand=9),
        event("building", 6.0, package="two.tar.gz", what="metadata"),
    ]
    builds = read_run(str(write_log(tmp_path / "log", log))).builds
    assert [(one.what, one.end, one.demand) for one in builds] == [
        ("metadata", 2.0, None), ("measuring, jobs 1", 5.0, 7), ("metadata", None, None),
    ]  # fmt: skip


def test_what_is_charged_outside_of_the_group_of_the_run_counts(tmp_path: Path) -> None:
    samples = [sample(0.1, 900 * MIB), sample(0.3, 40 * MIB)]
    samples[0]["group"]["place"], samples[1]["group"]["place"] = 0, 1
    log = [*beginning(), samples[0], event("confined", 0.2, before=20 * MIB), samples[1]]
    run = read_run(str(write_log(tmp_path / "log", log)))
    assert run.samples[1]["group"]["usage"] == 60 * MIB
    assert run.samples[1]["group"]["outside"] == 20 * MIB
    assert run.limit_of_group == 64 * MIB


def test_a_build_is_no_unpacking(tmp_path: Path) -> None:
    file = "one-1.0.tar.gz"
    effort = {"fetched": 0, "waiting": 0.1, "writing": 0.2}
    log = [
        *beginning(),
        event("begins", 1.0, package="one", version="1.0", file=file, size=None),
        event("building", 1.5, package="one", planned=9, limit=10, jobs=1),
        event("built", 4.0, package="one", seconds=2.5, demand=8, limit=10, jobs=1,
              tier="a group", network="none", writes="held"),
        event("waits", 4.1, package="one", source="/wheel"),
        event("staged", 4.8, package="one", files=1, bytes=9, reused=False, startup=[],
              unpacking=3.5, **effort),
    ]  # fmt: skip
    run = read_run(str(write_log(tmp_path / "log", log)))
    wheel = run.wheels["one"]
    assert wheel.building == pytest.approx(3.1)
    assert wheel.unpacking == pytest.approx(0.4)
    assert run.building == wheel.building
    assert [one.begin for one in wheel.intervals] == [4.1]


def test_a_build_that_failed_is_no_unpacking(tmp_path: Path) -> None:
    effort = {"fetched": 0, "waiting": 0.0, "writing": 0.0, "unpacking": 3.0}
    log = [
        *beginning(),
        event("begins", 1.0, package="one", version="1.0", file="one.tar.gz", size=None),
        event("building", 1.5, package="one", planned=9, limit=10, jobs=1),
        event("failed", 4.0, package="one", error="gcc\n| no", kind="BuildFailed", **effort),
    ]
    wheel = read_run(str(write_log(tmp_path / "log", log))).wheels["one"]
    assert (wheel.building, wheel.unpacking, wheel.problem) == (3.0, 0.0, "gcc")


def test_the_limits_that_the_budget_follows_from_count(tmp_path: Path) -> None:
    """The first ones are found while a fork reads the lock, which then counts as others."""
    source = "/sys/fs/cgroup/memory.max"

    def limits(at: float, others: int) -> dict[str, Any]:
        found = {"source": source, "available": 64 * MIB - others, "others": others}
        return event("limits", at, found=[found])

    budget = {**beginning()[2], "memory": 64 * MIB, "source": source}
    log = [beginning()[0], limits(0.01, 9 * MIB), limits(0.02, 0), budget]
    run = read_run(str(write_log(tmp_path / "log", log)))
    assert run.limit_of_group == 64 * MIB
    assert run.limits[0]["available"] == 64 * MIB
