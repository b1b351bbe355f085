"""The header of a lock is compared with what a plan would write, and changes are told with why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.pylock import Pylock
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.index.indexes import Indexes
from planner.inputs.inputs import Inputs
from planner.inputs.provenance import Provenance
from planner.inputs.question import Question
from planner.model.environments import group_targets
from planner.model.policy import Policy
from planner.review.header import describe_changes, find_header_changes
from schemas.target import Target

LINUX, WINDOWS = Target.named("3.11", "linux"), Target.named("3.11", "windows")
POLICY: dict[str, Any] = {"indexes": ["https://a.example"], "exclude-newer": "7 days"}


def question(**policy: Any) -> Question:
    return Question(
        inputs=Inputs(groups=(canonicalize_name("dev"), canonicalize_name("lint"))),
        environments=group_targets([LINUX]),
        policy=Policy(),
        indexes=Indexes(places=()),
        folder="",
        provenance={"inputs": {"projects": ["."]}, "options": {}, "policy": {**POLICY, **policy}},
    )


def lock_of(asked: Question) -> Pylock:
    targets = [target.to_table() for target in asked.targets]
    tables = {key: table for key, table in asked.provenance.items() if table}
    return Pylock(
        lock_version=Version("1.0"),
        created_by="lockstream",
        environments=[one.marker for one in asked.environments],
        requires_python=SpecifierSet(">=3.11"),
        packages=[],
        dependency_groups=asked.inputs.groups,
        tool={"lockstream": {"targets": targets, **tables}},
    )


def problems(lock: Pylock, asked: Question) -> list[str]:
    return [change.as_problem() for change in find_header_changes(lock, asked)]


def test_a_lock_of_the_same_question_has_no_changes() -> None:
    assert problems(lock_of(question()), question()) == []


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ({"align": False}, "align: the lock has none, a plan now has no"),
        ({"exclude-newer": "1 day"}, "exclude-newer: the lock has 7 days, a plan now has 1 day"),
        ({"indexes": ["https://b.example"]},
         "indexes: the lock has https://a.example, a plan now has https://b.example"),
        ({"build": {"packages": "missing"}},
         "builds: the lock has none, a plan now has packages = missing"),
    ],
)  # fmt: skip
def test_each_rule_that_differs_is_named(policy: dict[str, Any], problem: str) -> None:
    assert problems(lock_of(question()), question(**policy)) == [problem]


def test_what_limits_an_installation_is_compared() -> None:
    lock = replace(lock_of(question()), environments=None, requires_python=SpecifierSet(">=3.9"))
    marker = str(question().environments[0].marker)
    assert problems(lock, question()) == [
        f"environments: the lock has none, a plan now has {marker}",
        "requires-python: the lock has >=3.9, a plan now has >=3.11",
    ]


def test_targets_are_compared_in_their_order() -> None:
    before = replace(question(), environments=group_targets([LINUX, WINDOWS]))
    after = replace(question(), environments=group_targets([WINDOWS, LINUX]))
    (problem,) = problems(lock_of(before), after)
    assert problem == (
        "targets: the lock has 3.11 on manylinux_2_28_x86_64, 3.11 on win_amd64, "
        "a plan now has 3.11 on win_amd64, 3.11 on manylinux_2_28_x86_64"
    )


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Provenance(groups=("docs",)), "--group docs was given"),
        (Provenance(no_groups=("dev", "lint")), "--no-group dev --no-group lint was given"),
        (Provenance(all_groups=False), "--no-all-groups was given"),
        (Provenance(), "the inputs changed"),
    ],
)
def test_a_plan_says_what_it_dropped_and_why(given: Provenance, reason: str) -> None:
    inputs = Inputs(groups=(canonicalize_name("docs"),))
    after = replace(question(), inputs=inputs)
    assert list(describe_changes(lock_of(question()), after, given)) == [
        f"groups dev, lint: dropped, for {reason}", f"groups docs: added, for {reason}",
    ]  # fmt: skip


def test_a_plan_says_which_rule_it_replaced() -> None:
    after = question(**{"exclude-newer": "1 day"})
    assert list(describe_changes(lock_of(question()), after, Provenance())) == [
        "exclude-newer: 7 days -> 1 day"
    ]
