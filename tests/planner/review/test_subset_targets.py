"""The targets of a subset: those that are named, as far as the lock is for them."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.markers import Marker
from packaging.pylock import Pylock

from planner.model.environments import group_targets
from planner.review.subset_choice import SubsetChoice
from planner.review.subset_targets import deciding, limits_of, subset_targets
from schemas.errors import NoSolution, UsageError
from schemas.target import Target

LINUX, WINDOWS = "manylinux_2_28_x86_64", "win_amd64"


def lock(targets: list[tuple[str, str]] = [], **header: Any) -> Pylock:  # noqa: B006
    found = [Target.named(*one) for one in targets]
    if found:
        header["environments"] = [str(one.marker) for one in group_targets(found)]
        header["tool"] = {"lockstream": {"targets": [one.to_table() for one in found]}}
    return Pylock.from_dict({"lock-version": "1.0", "created-by": "x", "packages": [], **header})


def names(found: tuple[Target, ...]) -> list[str]:
    return [f"{one.python_name} {one.platform}" for one in found]


BOTH = lock([("3.11", LINUX), ("3.12", WINDOWS)])


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (SubsetChoice(), [f"3.11 {LINUX}", f"3.12 {WINDOWS}"]),
        (SubsetChoice(python_versions=("3.12",)), [f"3.12 {WINDOWS}"]),
        (SubsetChoice(platforms=("linux",)), [f"3.11 {LINUX}"]),
        (SubsetChoice(python_versions=("3.11",), platforms=("manylinux_2_34_x86_64",)),
         ["3.11 manylinux_2_34_x86_64"]),
    ],
)  # fmt: skip
def test_of_one_kind_of_name_the_lock_gives_the_other(
    choice: SubsetChoice, expected: list[str]
) -> None:
    assert names(subset_targets(BOTH, choice)) == expected


@pytest.mark.parametrize(
    "choice",
    [
        SubsetChoice(python_versions=("3.13",)),
        SubsetChoice(python_versions=("3.11", "3.13")),
        SubsetChoice(platforms=("macos",)),
        SubsetChoice(python_versions=("3.11",), platforms=("windows",)),
    ],
)
def test_a_target_that_the_lock_is_not_for_is_refused(choice: SubsetChoice) -> None:
    with pytest.raises(NoSolution) as error:
        subset_targets(BOTH, choice)
    assert "name a target that the lock is for" in error.value.hint


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError):
        subset_targets(BOTH, SubsetChoice(platforms=("solaris",)))


def test_the_lock_of_another_tool_stays_for_all_of_its_targets() -> None:
    limits: dict[str, Any] = {
        "requires-python": ">=3.10",
        "environments": ["sys_platform == 'linux'"],
    }
    foreign = lock(**limits)
    assert subset_targets(foreign, SubsetChoice()) == ()
    markers, python = limits_of(foreign, ())
    assert [str(one) for one in markers or ()] == ['sys_platform == "linux"']
    assert str(python) == ">=3.10"


def test_the_header_is_for_the_targets_alone() -> None:
    environments = group_targets(subset_targets(BOTH, SubsetChoice(python_versions=("3.12",))))
    markers, python = limits_of(BOTH, environments)
    assert markers == [environments[0].marker]
    assert str(python) == ">=3.12"


def test_what_the_lock_of_another_tool_refuses_its_subset_refuses() -> None:
    """The lock is for later releases of 3.12; so is the subset for 3.12."""
    foreign = lock(environments=["python_full_version >= '3.12.4' and os_name == 'posix'"])
    choice = SubsetChoice(python_versions=("3.12.6",), platforms=("linux",))
    [environment] = group_targets(subset_targets(foreign, choice))
    markers, _ = limits_of(foreign, [environment])
    left = 'python_full_version >= "3.12.4"'
    assert [str(one) for one in markers or ()] == [f"{environment.marker} and {left}"]


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("python_full_version >= '3.11'", True),
        ("python_full_version < '3.11.3'", False),
        ("python_full_version >= '3.12'", True),
        ("python_full_version < '3.12.0'", False),
        ("python_full_version == '3.12.*'", True),
        ("python_full_version >= '3.12.4'", None),
        ("python_full_version > '3.12'", None),
        ("python_full_version in '3.11 3.12.1'", None),
        ("'3.12' <= python_full_version", None),
        ("os_name == 'posix'", True),
        ("platform_system == 'Windows'", False),
        ("platform_python_implementation != 'PyPy'", True),
        ("platform_release >= '5'", None),
    ],
)
def test_a_comparison_is_decided_if_it_has_one_answer_in_the_environment(
    comparison: str, expected: bool | None
) -> None:
    [environment] = group_targets([Target.named("3.12", LINUX)])
    marker = Marker(comparison)
    variable = next(word for word in comparison.split() if word.isidentifier() and "_" in word)
    assert deciding(environment, {})(marker, variable) is expected
    assert deciding(None, {})(marker, variable) is None
