"""What cannot be selected is an error that says how it can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.locks import foreign_lock
from planner.lock.reader import read_lock
from planner.model.environments import group_targets
from planner.review.subset_cases import DoubleSelection, select_cases
from planner.review.subset_choice import SubsetChoice
from schemas.errors import LockstreamError, UsageError
from schemas.target import Target

PACKAGES: list[dict[str, Any]] = [
    {"name": "a", "dependencies": [{"name": "b"}, {"name": "tool"}]},
    {"name": "b"},
    {"name": "win", "marker": "sys_platform == 'win32'"},
    {"name": "tool", "marker": "'Dev_Tools' in dependency_groups or 'x' in extras"},
    {"name": "plain", "marker": "'base' in dependency_groups"},
]
HEADER: dict[str, Any] = {
    "extras": ["x"],
    "dependency-groups": ["Dev_Tools", "base"],
    "default-groups": ["base"],
}


def selected(folder: Path, choice: SubsetChoice, *platforms: str, **more: Any) -> list[set[str]]:
    packages = more.pop("packages", PACKAGES)
    lock = read_lock(foreign_lock(folder / "pylock.toml", packages, **HEADER, **more))
    environments = group_targets(Target.named("3.12", one) for one in platforms) or (None,)
    cases = select_cases(lock, choice, environments, None)
    return [{package.name for package in case.packages} for case in cases]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (SubsetChoice(), {"a", "b", "plain"}),
        (SubsetChoice(no_default_groups=True), {"a", "b"}),
        (SubsetChoice(groups=("dev-tools",)), {"a", "b", "tool", "plain"}),
        (SubsetChoice(all_extras=True, no_default_groups=True), {"a", "b", "tool"}),
        (SubsetChoice(packages=("a",)), {"a", "b"}),
        (SubsetChoice(packages=("A", "plain"), extras=("x",)), {"a", "b", "tool", "plain"}),
        (SubsetChoice(without=("a",)), {"plain"}),
        (SubsetChoice(packages=("a",), without=("b",)), {"a"}),
        (SubsetChoice(without=("tool",)), {"a", "b", "plain"}),
    ],
)
def test_a_choice_selects_what_it_names(
    tmp_path: Path, choice: SubsetChoice, expected: set[str]
) -> None:
    assert selected(tmp_path, choice, "linux") == [expected]
    everywhere = expected if choice.packages else expected | {"win"}
    assert selected(tmp_path, choice) == [everywhere]


def test_each_environment_has_its_own_selection(tmp_path: Path) -> None:
    found = selected(tmp_path, SubsetChoice(packages=("win", "b")), "linux", "windows")
    assert found == [{"b"}, {"b", "win"}]


@pytest.mark.parametrize(
    ("choice", "problem", "hint"),
    [
        (SubsetChoice(packages=("nope",)), "--package nope: the lock has no such package", "names"),
        (SubsetChoice(packages=("plian",)), "the lock has no such package", "did you mean plain?"),
        (SubsetChoice(without=("nope",)), "--without nope: the lock has no such package", "names"),
        (SubsetChoice(packages=("tool",)), "--package tool: it is not part of the selection",
         "add --group dev-tools or --extra x"),
        (SubsetChoice(packages=("win",)), "--package win: it is not part of the selection",
         "its marker excludes these targets"),
        (SubsetChoice(packages=("a==1",)), "'a==1' is not the name of a package", "without a vers"),
        (SubsetChoice(packages=("a b",)), "'a b' is not the name of a package", "without a vers"),
        (SubsetChoice(extras=("y",)), "the lock has no extra 'y'", "name one of these"),
    ],
)  # fmt: skip
def test_a_name_that_selects_nothing_is_refused(
    tmp_path: Path, choice: SubsetChoice, problem: str, hint: str
) -> None:
    with pytest.raises(UsageError) as error:
        selected(tmp_path, choice, "linux")
    assert problem in str(error.value)
    assert hint in error.value.hint


def test_an_extra_that_the_lock_does_not_record_is_refused(tmp_path: Path) -> None:
    packages = [{"name": "a", "tool": {"lockstream": {"requires": ["b; extra == 'x'"]}},
                 "dependencies": [{"name": "b"}]}, {"name": "b"}]  # fmt: skip
    ours = {"packages": packages, "tool": {"lockstream": {"policy": {}}}}
    found = selected(tmp_path, SubsetChoice(packages=("a[x]",)), "linux", **ours)
    assert found == [{"a", "b"}]
    with pytest.raises(UsageError, match="does not record what the extra y of a requires"):
        selected(tmp_path, SubsetChoice(packages=("a[y]",)), "linux", **ours)


def test_two_packages_of_one_name_are_refused(tmp_path: Path) -> None:
    packages: list[dict[str, Any]] = [
        {"name": "a", "marker": "'x' in extras"},
        {"name": "a", "version": "2.0", "marker": "'Dev_Tools' in dependency_groups"},
    ]
    both = SubsetChoice(all_extras=True, all_groups=True)
    with pytest.raises(DoubleSelection, match="two packages a for CPython"):
        selected(tmp_path, both, "linux", packages=packages)


def test_extras_that_exclude_each_other_are_refused(tmp_path: Path) -> None:
    tool = {"lockstream": {"policy": {"conflicts": ["extra x and group dev-tools"]}}}
    with pytest.raises(LockstreamError, match="exclude each other"):
        selected(tmp_path, SubsetChoice(all_extras=True, all_groups=True), "linux", tool=tool)
