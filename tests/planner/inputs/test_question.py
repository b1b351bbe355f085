"""A question is the same as another if nothing that decides its answer differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.index.indexes import Indexes
from planner.inputs.inputs import Inputs
from planner.inputs.question import Question
from planner.model.environments import group_targets
from planner.model.policy import Policy
from schemas.target import Target

LINUX = Target.named("3.11", "linux")
WINDOWS = Target.named("3.11", "windows")


def question() -> Question:
    return Question(
        inputs=Inputs(),
        environments=group_targets([LINUX, WINDOWS]),
        policy=Policy(),
        indexes=Indexes(places=()),
        folder="/lock",
        provenance={"inputs": {}, "policy": {}},
    )


def test_the_targets_are_those_of_all_environments() -> None:
    assert list(question().targets) == [LINUX, WINDOWS]


def test_equal_questions_have_equal_keys() -> None:
    assert question().cache_key() == question().cache_key()


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": Inputs(prereleases=True)},
        {"environments": group_targets([LINUX])},
        {"policy": Policy(align=False)},
        {"indexes": Indexes(places=(), pins={})} | {"policy": Policy(require_hashes=True)},
        {"provenance": {"inputs": {"projects": ["a"]}, "policy": {}}},
    ],
)
def test_what_decides_the_answer_is_in_the_key(change: dict[str, object]) -> None:
    changed = replace(question(), **change)  # type: ignore[arg-type]  # fields of a test
    assert changed.cache_key() != question().cache_key()


def test_the_folder_alone_makes_no_other_answer() -> None:
    # What of it stands in the lock is in the tables.
    assert replace(question(), folder="/other").cache_key() == question().cache_key()
