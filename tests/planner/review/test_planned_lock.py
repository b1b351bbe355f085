"""The outcome of a plan is read when it is needed."""

from __future__ import annotations

from pathlib import Path

from helpers.index import Index
from helpers.locks import plan_into
from helpers.wheels import build_wheel
from planner.lock.reader import read_lock
from planner.model.environments import group_targets
from planner.review.planned_lock import PlannedLock
from schemas.lock import recorded_targets


def test_the_text_is_parsed_late_and_once(index: Index, tmp_path: Path) -> None:
    index.add(build_wheel("app", "1.0"))
    path = plan_into(index, tmp_path, ["app"])
    environments = group_targets(recorded_targets(read_lock(str(path))))
    planned = PlannedLock(
        text=path.read_text(), path=str(path), environments=environments, is_changed=True
    )
    assert [package.name for package in planned.lock.packages] == ["app"]
    assert planned.lock is planned.lock
    (cost,) = planned.costs
    assert [package.name for package in cost.packages] == ["app"]


def test_a_lock_that_was_parsed_already_is_not_parsed_again(index: Index, tmp_path: Path) -> None:
    index.add(build_wheel("app", "1.0"))
    lock = read_lock(str(plan_into(index, tmp_path, ["app"])))
    planned = PlannedLock(text="", path="", environments=(), is_changed=False, parsed=lock)
    assert planned.lock is lock
    assert planned.costs == []
