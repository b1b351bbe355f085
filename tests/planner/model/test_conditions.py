"""A condition holds where its marker does, and not where its extra or group is left out."""

from __future__ import annotations

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from planner.model.conditions import Condition
from planner.model.dependencies import Scope
from planner.model.environments import MarkerEnvironment
from schemas.target import Target

CPU, DEV = Scope("extra", canonicalize_name("cpu")), Scope("group", canonicalize_name("dev"))
LINUX = MarkerEnvironment((Target.named("3.12", "linux"),))
WITHOUT_CPU = MarkerEnvironment(LINUX.targets, frozenset({DEV}), frozenset({CPU}))
ON_LINUX, ON_WINDOWS = (Marker(f'sys_platform == "{name}"') for name in ("linux", "win32"))


@pytest.mark.parametrize(
    ("condition", "environment", "holds"),
    [
        (Condition(), LINUX, True),
        (Condition(ON_LINUX), LINUX, True),
        (Condition(ON_WINDOWS), LINUX, False),
        (Condition(scope=CPU), LINUX, True),
        (Condition(scope=CPU), WITHOUT_CPU, False),
        (Condition(ON_LINUX, DEV), WITHOUT_CPU, True),
        (Condition(ON_WINDOWS, DEV), WITHOUT_CPU, False),
    ],
)
def test_a_condition_holds_where_all_of_it_does(
    condition: Condition, environment: MarkerEnvironment, holds: bool
) -> None:
    assert condition.holds(environment) is holds


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Condition(), ""),
        (Condition(ON_LINUX), 'sys_platform == "linux"'),
        (Condition(scope=CPU), '"cpu" in extras'),
        (Condition(ON_LINUX, DEV), '(sys_platform == "linux") and "dev" in dependency_groups'),
    ],
)
def test_a_condition_reads_as_a_marker_of_a_lock(condition: Condition, text: str) -> None:
    assert str(condition) == text
