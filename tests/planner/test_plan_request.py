"""A request gets what the existing lock records, but for what the user says anew or forgets."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.index import Index
from helpers.wheels import build_wheel
from planner import PlanRequest, Reporter, plan_lock
from planner.inputs.options import IndexRequest, PolicyRequest
from planner.inputs.provenance import Provenance
from planner.inputs.targets import TargetRequest
from planner.lock.reader import read_lock
from planner.model.policy import Ordering
from planner.plan_request import Task, read_task, with_recorded

LOWEST = PolicyRequest(resolution="lowest")


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Index) -> PlanRequest:
    """The request of the lock that is in the working folder."""
    index.add(build_wheel("app", "1.0"))
    monkeypatch.chdir(tmp_path)
    Path("requirements.in").write_text("app\n")
    request = PlanRequest(
        sources=Provenance(requirements=("requirements.in",)),
        targets=TargetRequest(python_versions=("3.11",), platforms=("manylinux_2_28_x86_64",)),
        indexes=IndexRequest(default_index=index.url),
        policy=LOWEST,
    )
    plan_lock(request)
    return request


def task(**changes: object) -> Task:
    return read_task(PlanRequest(**changes), Reporter())  # type: ignore[arg-type]  # of a test


def test_what_the_request_leaves_open_is_as_recorded(written: PlanRequest) -> None:
    found = with_recorded(PlanRequest(), read_lock("pylock.toml"), "pylock.toml")
    assert found.sources == written.sources
    assert found.policy.resolution == "lowest"
    assert found.indexes.default_index == str(written.indexes.default_index).rstrip("/")
    assert found.targets.recorded


def test_what_the_request_says_goes_before_what_is_recorded(written: PlanRequest) -> None:
    asked = PlanRequest(policy=PolicyRequest(resolution="highest"))
    found = with_recorded(asked, read_lock("pylock.toml"), "pylock.toml")
    assert found.policy.resolution == "highest"


@pytest.mark.usefixtures("written")
def test_nothing_is_recorded_for_a_request_that_forgets() -> None:
    assert task().question.policy.ordering is Ordering.LOWEST
    sources = Provenance(requirements=("requirements.in",))
    found = task(forget=True, sources=sources)
    assert found.question.policy.ordering is Ordering.HIGHEST


@pytest.mark.usefixtures("written")
def test_a_lock_may_be_kept_unless_something_is_wanted_anew() -> None:
    assert task().may_be_kept
    assert not task(upgraded=("app",)).may_be_kept
    assert not task(fragments=("folder",)).may_be_kept
    assert task(upgrade=True).previous is None


@pytest.mark.usefixtures("written")
def test_a_name_that_is_upgraded_is_not_preferred() -> None:
    assert [set(one) for one in task().question.policy.preferences] == [{"app"}]
    assert [set(one) for one in task(upgraded=("App",)).question.policy.preferences] == [set()]
