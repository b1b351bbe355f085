"""Processors: the number of lanes follows what the scheduler gives us, not what is built in."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from executor.budget import processors
from executor.budget.processors import free_processes, own_processors, usable_processors


@pytest.fixture(name="group")
def own_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for our cgroup, on a machine of eight processors."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(processors, "own_groups", lambda _: [(str(tmp_path), 2)])
    return tmp_path


@pytest.mark.parametrize(
    ("quota", "usable"),
    [
        ("max 100000", 8),
        ("400000 100000", 4),
        ("150000 100000", 1),
        ("50000 100000", 1),
        ("1600000 100000", 8),
        ("", 8),
    ],
)
def test_a_quota_of_time_is_a_number_of_processors(group: Path, quota: str, usable: int) -> None:
    (group / "cpu.max").write_text(f"{quota}\n")
    assert usable_processors() == usable


@pytest.mark.parametrize(("quota", "usable"), [("-1", 8), ("300000", 3), ("1000", 1)])
def test_version_1_spells_it_in_two_files(
    group: Path, monkeypatch: pytest.MonkeyPatch, quota: str, usable: int
) -> None:
    monkeypatch.setattr(processors, "own_groups", lambda _: [(str(group), 1)])
    (group / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_processors() == usable


def test_the_processors_of_this_machine_can_be_counted() -> None:
    assert usable_processors() >= 1


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.ENOSYS, errno.EINVAL])
def test_a_filter_that_refuses_the_call_leaves_those_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def refuse(_: int) -> set[int]:
        if refusal == errno.EINVAL:
            # What Python makes of it when its set has become too large.
            raise OverflowError("could not allocate a large enough CPU set")
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr("os.sched_getaffinity", refuse)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    monkeypatch.setattr(processors, "own_groups", lambda _: [])
    assert own_processors() == []
    assert usable_processors() == 3


@pytest.mark.parametrize(
    ("most", "current", "free"), [("max", "3", None), ("10", "3", 7), ("3", "5", 0), ("", "", None)]
)
def test_a_limit_of_processes_is_counted(
    group: Path, most: str, current: str, free: int | None
) -> None:
    (group / "pids.max").write_text(f"{most}\n")
    (group / "pids.current").write_text(f"{current}\n")
    assert free_processes() == free


def test_the_tightest_group_limits_the_processes(
    group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    above = group / "above"
    above.mkdir()
    monkeypatch.setattr(processors, "own_groups", lambda _: [(str(group), 1), (str(above), 1)])
    for folder, most in ((group, 20), (above, 8)):
        (folder / "pids.max").write_text(f"{most}\n")
        (folder / "pids.current").write_text("6\n")
    assert free_processes() == 2
