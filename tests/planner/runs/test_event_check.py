"""Events are held to the schema, and those of later versions pass."""

from __future__ import annotations

import pytest

from helpers.run_logs import beginning, event, sample
from planner.runs.event_check import problem_of


@pytest.mark.parametrize("one", [*beginning(), sample(1.0, 9), event("commit", 2.0, step="moves")])
def test_events_as_they_are_written_have_no_problem(one: dict[str, object]) -> None:
    assert problem_of(one) is None


def test_what_a_later_version_writes_is_no_problem() -> None:
    assert problem_of({"event": "of a later version", "at": 1}) is None
    later = sample(1.0, 9)
    later["group"]["huge"] = later["more"] = 1
    assert problem_of(later) is None


def test_a_problem_names_the_field() -> None:
    wrong = sample(1.0, 9)
    wrong["group"]["dirty"] = -1
    assert problem_of(wrong) == "(sample) has a wrong group.dirty: minimum is 0"
    del wrong["group"]
    assert problem_of(wrong) == "(sample) lacks a field"
