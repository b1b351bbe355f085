"""The command that makes a lock serve one more target keeps those that it serves."""

from __future__ import annotations

from typing import Any

import pytest

from executor.lock.other_target import plan_for
from schemas.target import Target

LINUX = "manylinux_2_28_x86_64"
ONLY_LINUX = f"--platform {LINUX}"
MAC = "macosx_14_0_arm64"


def tool(*targets: tuple[str, str]) -> dict[str, Any]:
    named = [{"python": python, "platform": platform} for python, platform in targets]
    return {"lockstream": {"targets": named}}


@pytest.mark.parametrize(
    ("recorded", "target", "options"),
    [
        ([], ("3.12", LINUX), f"--python-version 3.12 --platform {LINUX}"),
        (
            [("3.12.4", MAC)],
            ("3.12.1", LINUX),
            f"--python-version 3.12.4 --platform {MAC} --platform {LINUX}",
        ),
        (
            [("3.11", LINUX)],
            ("3.13", "manylinux_2_36_x86_64"),
            f"--python-version 3.11 --python-version 3.13 --platform {LINUX}",
        ),
        (
            [("3.13t", LINUX), ("pypy3.11", LINUX)],
            ("3.13", LINUX),
            f"--python-version 3.13t --python-version pypy3.11 --python-version 3.13 {ONLY_LINUX}",
        ),
    ],
)
def test_the_target_joins_those_that_are_recorded(
    recorded: list[tuple[str, str]], target: tuple[str, str], options: str
) -> None:
    assert plan_for(Target.named(*target), tool(*recorded)) == f"lockstream plan {options}"


@pytest.mark.parametrize(
    "foreign", [None, {}, {"lockstream": {"targets": 1}}, tool(("3.9; rm -rf x", "$(id)"))]
)
def test_what_no_target_can_be_called_is_left_out_of_the_command(
    foreign: dict[str, Any] | None,
) -> None:
    command = plan_for(Target.named("3.12", LINUX), foreign)
    assert command == f"lockstream plan --python-version 3.12 --platform {LINUX}"


def test_a_long_list_is_left_to_the_user() -> None:
    many = tool(*((f"3.{minor}", MAC) for minor in range(6, 14)))
    command = plan_for(Target.named("3.14", LINUX), many)
    assert command == f"lockstream plan --python-version 3.14 --platform {LINUX}"
