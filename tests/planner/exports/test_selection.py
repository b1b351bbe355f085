"""Which packages of a lock are exported, and under which conditions."""

from __future__ import annotations

import pytest

from executor import SelectOptions
from helpers.exports import lock_with, sdist, wheel
from planner.exports.selection import every_package, select_packages
from planner.inputs.targets import choose_targets
from schemas.errors import UsageError

LOCK = lock_with(
    wheel("app"),
    wheel("cli", marker='"cli" in extras'),
    wheel("docs", marker='"docs" in dependency_groups'),
    wheel("main", marker='"default" in dependency_groups'),
    wheel("win", marker='sys_platform == "win32" and "cli" in extras'),
    extras=["cli"],
    dependency_groups=["default", "docs"],
    default_groups=["default"],
)


def exported(select: SelectOptions, *platforms: str) -> dict[str, str]:
    """The markers of what is exported, by name."""
    targets = choose_targets(["3.12"], platforms) if platforms else ()
    return {one.name: str(one.marker or "") for one in select_packages(LOCK, select, targets)}


def test_without_a_choice_the_default_groups_are_exported() -> None:
    assert exported(SelectOptions()) == {"app": "", "main": ""}


def test_default_groups_can_be_left_out() -> None:
    assert exported(SelectOptions(default_groups=False)) == {"app": ""}


def test_an_extra_brings_its_packages_with_their_conditions_on_the_machine() -> None:
    found = exported(SelectOptions(extras=frozenset({"cli"})))
    assert found == {"app": "", "cli": "", "main": "", "win": 'sys_platform == "win32"'}


def test_a_target_leaves_out_what_only_others_need() -> None:
    select = SelectOptions(all_extras=True)
    assert "win" not in exported(select, "linux")
    assert "win" in exported(select, "linux", "windows")


def test_an_extra_that_the_lock_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="no extra 'web'"):
        exported(SelectOptions(extras=frozenset({"web"})))


def test_only_what_a_named_group_alone_requires_is_for_development() -> None:
    found = select_packages(LOCK, SelectOptions(all_extras=True, all_groups=True))
    assert {one.name for one in found if one.is_development} == {"docs"}


def test_every_package_is_what_any_choice_needs() -> None:
    assert [one.name for one in every_package(LOCK)] == ["app", "cli", "docs", "main", "win"]
    linux = choose_targets(["3.12"], ["linux"])
    assert [one.name for one in every_package(LOCK, linux)] == ["app", "cli", "docs", "main"]


def test_every_package_includes_what_excludes_each_other() -> None:
    lock = lock_with(
        wheel("cpu", marker="'cpu' in extras and 'gpu' not in extras"),
        wheel("gpu", marker="'gpu' in extras and 'cpu' not in extras"),
        extras=["cpu", "gpu"],
        tool={"lockstream": {"policy": {"conflicts": ["extra cpu and extra gpu"]}}},
    )
    targets = choose_targets(["3.12"], ["linux"])
    assert [one.name for one in every_package(lock, targets)] == ["cpu", "gpu"]


def test_a_version_that_the_lock_does_not_state_is_that_of_the_files() -> None:
    tables = [wheel("app", "2.0"), sdist("bare", "3.0")]
    for table in tables:
        del table["version"]
    folder = {"name": "demo", "directory": {"path": "."}}
    found = select_packages(lock_with(*tables, folder), SelectOptions())
    assert [str(one) for one in found] == ["app 2.0", "bare 3.0", "demo"]
