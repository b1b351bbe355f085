"""A refused wheel is named, with its member if one is at fault."""

from __future__ import annotations

import pickle

import pytest

from executor.wheels.errors import WheelRefused
from schemas.errors import ExitCode


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (WheelRefused("a.whl", "it is damaged"), "a.whl: it is damaged"),
        (WheelRefused("a.whl", "it is twice there", "x y"), "a.whl: 'x y': it is twice there"),
        (WheelRefused("a.whl", "it has no name", ""), "a.whl: '': it has no name"),
    ],
)
def test_it_names_the_wheel_the_member_and_the_rule(error: WheelRefused, text: str) -> None:
    assert str(error) == text
    assert error.exit_code is ExitCode.ARTIFACT_REFUSED
    assert error.hint


def test_it_crosses_from_a_lane_to_the_program() -> None:
    error = pickle.loads(pickle.dumps(WheelRefused("a.whl", "rule", "member")))
    assert str(error) == "a.whl: 'member': rule"
