"""The marker of an entry is short, and holds exactly where the entry is needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from planner.lock.markers import Conditions
from planner.model.dependencies import Scope
from schemas.target import Target

PYTHONS = ("3.9", "3.10", "3.11", "3.12")
PLATFORMS = ("linux", "manylinux_2_28_aarch64", "macos", "windows")
VARIABLES = [
    Target.named(python, platform).environment for python in PYTHONS for platform in PLATFORMS
]
LINUX, ARM, MAC, WINDOWS = (set(range(number, 16, 4)) for number in range(4))
OLD, YOUNG = set(range(8)), set(range(8, 16))
EVERYWHERE = OLD | YOUNG

X, Y = (Scope("extra", canonicalize_name(name)) for name in "xy")
TEST = Scope("group", canonicalize_name("test"))


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        pytest.param({None: EVERYWHERE}, None, id="everywhere"),
        pytest.param({None: EVERYWHERE, X: EVERYWHERE}, None, id="always, and with an extra"),
        pytest.param({None: WINDOWS}, 'sys_platform == "win32"', id="one platform"),
        pytest.param({None: EVERYWHERE - WINDOWS}, 'sys_platform != "win32"', id="all but one"),
        pytest.param({None: LINUX | ARM}, 'sys_platform == "linux"', id="two machines"),
        pytest.param({None: MAC | WINDOWS}, 'sys_platform != "linux"', id="two platforms"),
        pytest.param({None: OLD}, 'python_version < "3.11"', id="before"),
        pytest.param({None: YOUNG}, 'python_version >= "3.11"', id="from on"),
        pytest.param({None: {4, 5, 6, 7}}, 'python_version == "3.10"', id="one in the middle"),
        pytest.param({None: LINUX & YOUNG},
                     'platform_machine == "x86_64" and python_version >= "3.11"', id="both"),
        pytest.param({None: WINDOWS | YOUNG},
                     'python_version >= "3.11" or sys_platform == "win32"', id="either"),
        pytest.param({X: EVERYWHERE}, '"x" in extras', id="an extra"),
        pytest.param({X: EVERYWHERE, Y: EVERYWHERE, TEST: EVERYWHERE},
                     '"x" in extras or "y" in extras or "test" in dependency_groups',
                     id="extras and a group"),
        pytest.param({X: WINDOWS, Y: WINDOWS},
                     '("x" in extras or "y" in extras) and sys_platform == "win32"',
                     id="extras on a platform"),
        pytest.param({None: WINDOWS, TEST: EVERYWHERE},
                     'sys_platform == "win32" or "test" in dependency_groups',
                     id="a platform, and a group anywhere"),
        pytest.param({X: WINDOWS | YOUNG},
                     '"x" in extras and (python_version >= "3.11" or sys_platform == "win32")',
                     id="an extra here or there"),
    ],
)  # fmt: skip
def test_markers_are_short(needed: dict[Scope | None, set[int]], expected: str | None) -> None:
    marker = Conditions(VARIABLES).marker(needed)
    assert (marker and str(marker)) == expected


def test_a_single_environment_needs_no_condition() -> None:
    conditions = Conditions(VARIABLES[:1])
    assert conditions.marker({None: [0]}) is None
    assert str(conditions.marker({TEST: [0]})) == '"test" in dependency_groups'


CASES = [(variables, choice) for variables in VARIABLES[:3] for choice in ({X}, {Y}, set[Scope]())]
"""Environments in which at most one of two extras is chosen."""


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        pytest.param({X: {0, 3, 6}}, '"x" in extras', id="by one"),
        pytest.param({X: {0, 3, 6}, Y: {1, 4, 7}}, '"x" in extras or "y" in extras', id="by each"),
        pytest.param({None: {0, 3, 6}}, '"x" in extras', id="always, in this version with one"),
        pytest.param({None: {1, 2, 4, 5, 7, 8}}, '"x" not in extras', id="and this without"),
        pytest.param({None: {2, 5, 8}}, '"x" not in extras and "y" not in extras', id="without"),
        pytest.param({None: {0, 1, 2, 5, 8}},
                     '"x" not in extras and "y" not in extras or platform_machine == "x86_64"',
                     id="without any, or on a machine"),
        pytest.param({TEST: {0, 3, 6}}, '"test" in dependency_groups and "x" in extras',
                     id="a group, if an extra is chosen"),
    ],
)  # fmt: skip
def test_the_choice_of_extras_is_a_condition(
    needed: dict[Scope | None, set[int]], expected: str
) -> None:
    conditions = Conditions([one for one, _ in CASES], [frozenset(choice) for _, choice in CASES])
    assert str(conditions.marker(needed)) == expected


@given(
    needed=st.dictionaries(
        st.sampled_from([None, TEST]), st.sets(st.integers(0, len(CASES) - 1)), min_size=1
    ),
    of_x=st.sets(st.sampled_from([0, 3, 6])),
    has_test=st.booleans(),
)
def test_a_marker_holds_exactly_in_the_choices_where_it_should(
    needed: dict[Scope | None, set[int]], of_x: set[int], has_test: bool
) -> None:
    needed = {**needed, X: of_x}
    if not any(needed.values()):
        return
    conditions = Conditions([one for one, _ in CASES], [frozenset(choice) for _, choice in CASES])
    marker = conditions.marker(needed)
    for position, (variables, choice) in enumerate(CASES):
        environment: dict[str, Any] = {
            **variables,
            "extras": frozenset(scope.name for scope in choice),
            "dependency_groups": frozenset({"test"} if has_test else ()),
        }
        holds = marker is None or marker.evaluate(environment, context="lock_file")
        scopes = {None, *choice, *({TEST} if has_test else ())}
        assert holds == any(position in needed.get(scope, ()) for scope in scopes)


positions = st.sets(st.integers(0, len(VARIABLES) - 1))
chosen = st.sets(st.sampled_from([X, Y, TEST]))


@given(
    needed=st.dictionaries(st.sampled_from([None, X, Y, TEST]), positions, min_size=1),
    wanted=chosen,
)
def test_a_marker_holds_exactly_where_it_should(
    needed: dict[Scope | None, set[int]], wanted: Iterable[Scope]
) -> None:
    if not any(needed.values()):
        return
    marker = Conditions(VARIABLES).marker(needed)
    extras = frozenset(scope.name for scope in wanted if scope.kind == "extra")
    groups = frozenset(scope.name for scope in wanted if scope.kind == "group")
    for position, variables in enumerate(VARIABLES):
        environment: dict[str, Any] = {
            **variables, "extras": extras, "dependency_groups": groups,
        }  # fmt: skip
        holds = marker is None or marker.evaluate(environment, context="lock_file")
        expected = any(position in needed.get(scope, ()) for scope in (None, *wanted))
        assert holds == expected
