"""Markers, dependencies and selected extras follow from what a lock and its inputs say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.pylock import Pylock
from packaging.requirements import Requirement

from helpers.index import Index
from helpers.locks import WINDOWS, plan_into
from helpers.wheels import build_wheel
from planner.index.indexes import Indexes
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.question import Question
from planner.lock.reader import read_lock
from planner.model.environments import group_targets
from planner.model.policy import Policy
from planner.review.derived import Derived, derive, with_facts
from schemas.lock import recorded_targets


def question(lock: Pylock, *lines: str) -> Question:
    return Question(
        inputs=Inputs(
            requirements=tuple(
                InputRequirement(requirement=Requirement(line), origin="r.in:1") for line in lines
            )
        ),
        environments=group_targets(recorded_targets(lock)),
        policy=Policy(),
        indexes=Indexes(places=()),
        folder="",
        provenance={},
    )


LINES = ("app", "part[x]; sys_platform == 'win32'")


@pytest.fixture
def lock(index: Index, tmp_path: Path) -> Pylock:
    index.add(
        build_wheel("app", "1.0", requires=["base", "part", "win; os_name == 'nt'"]),
        build_wheel("base", "1.0"),
        build_wheel("win", "1.0"),
        build_wheel("part", "1.0", extras={"x": ["base"]}),
    )
    return read_lock(str(plan_into(index, tmp_path, LINES, *WINDOWS)))


def by_name(lock: Pylock, *lines: str) -> dict[str, Derived]:
    found = derive(lock, question(lock, *lines))
    return {package.name: one for package, one in zip(lock.packages, found, strict=True)}


def test_a_plan_and_the_derivation_agree(lock: Pylock) -> None:
    found = by_name(lock, *LINES)
    for package in lock.packages:
        derived = found[package.name]
        assert derived.places
        assert derived.marker == (str(package.marker) if package.marker else None)
        names = {one["name"] for one in package.dependencies or ()}
        assert {one.name for one in derived.dependencies} == names
        assert package.tool is not None
        assert package.tool["lockstream"].get("extras") == derived.facts.get("extras")


def test_an_extra_of_some_environments_has_their_marker(lock: Pylock) -> None:
    assert by_name(lock, *LINES)["part"].facts == {"extras": ['x; sys_platform == "win32"']}
    assert by_name(lock, "app", "part[x]")["part"].facts == {"extras": ["x"]}


def test_what_nothing_requires_is_not_required(lock: Pylock) -> None:
    found = by_name(lock, "base")
    assert found["base"].places == {0, 1}
    assert found["app"].places == frozenset()


def test_facts_are_added_to_the_tool_tables_alone(lock: Pylock) -> None:
    table = {"other": {}, "lockstream": {"requires": ["win"]}}
    bare = replace(lock, packages=[replace(package, tool=table) for package in lock.packages])
    added = with_facts(bare, question(lock, "part[x]"))
    tables = {str(package.name): package.tool for package in added.packages}
    assert tables["part"] == {**table, "lockstream": {"requires": ["win"], "extras": ["x"]}}
    assert tables["win"] == table
