"""The cost of a lock is that of the wheels that one target installs."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.pylock import Pylock

from helpers.index import Index
from helpers.locks import LINUX, WINDOWS, plan_into
from helpers.wheels import build_wheel
from planner.lock.reader import read_lock
from planner.review.cost import cost_of
from schemas.demand import disk_of, peak_memory
from schemas.lock import recorded_targets

APP = build_wheel("app", requires=["win; os_name == 'nt'"], files={"app.py": "x" * 1000})
WIN = build_wheel("win")


@pytest.fixture
def lock(index: Index, tmp_path: Path) -> Pylock:
    index.add(APP, WIN)
    return read_lock(str(plan_into(index, tmp_path, ["app"], *WINDOWS, targets=LINUX)))


def test_a_target_pays_for_its_own_packages(lock: Pylock) -> None:
    linux, windows = (cost_of(lock, target) for target in recorded_targets(lock))
    assert [package.name for package in linux.packages] == ["app"]
    assert [package.name for package in windows.packages] == ["app", "win"]
    assert linux.size == APP.size
    assert windows.unpacked_size == APP.hints.unpacked_size + WIN.hints.unpacked_size
    assert windows.files == APP.hints.files + WIN.hints.files
    assert linux.largest_file == 1000
    assert linux.disk == disk_of([(APP.size, APP.hints)])
    assert linux.memory == peak_memory()


def test_the_largest_packages_come_first(lock: Pylock) -> None:
    cost = cost_of(lock, recorded_targets(lock)[1])
    assert [package.name for package in cost.biggest(1)] == ["app"]


def test_what_the_lock_does_not_record_is_named_and_counts_as_nothing(lock: Pylock) -> None:
    for package in lock.packages:
        object.__setattr__(package, "tool", None)
    cost = cost_of(lock, recorded_targets(lock)[0])
    assert (cost.unknown, cost.unpacked_size) == (("app",), 0)
