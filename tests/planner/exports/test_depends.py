"""The edges between the packages of a lock, as the lock records them."""

from __future__ import annotations

from packaging.pylock import Pylock

from executor import SelectOptions
from helpers.exports import lock_with, wheel
from planner.exports.depends import Depends
from planner.exports.selection import select_packages


def edges(lock: Pylock) -> dict[str, list[str]]:
    packages = select_packages(lock, SelectOptions())
    depends = Depends(lock, packages)
    return {str(one): [str(other) for other in depends.of(one)] for one in packages}


def test_an_entry_names_a_package_by_what_tells_it_from_others() -> None:
    lock = lock_with(
        wheel("app", dependencies=[{"name": "base", "version": "2.0"}, {"name": "cli"}]),
        wheel("base", "1.0"),
        wheel("base", "2.0"),
        wheel("cli", dependencies=[{"name": "base"}, {"name": "Cli"}]),
    )
    assert edges(lock)["app 1.0"] == ["base 2.0", "cli 1.0"]
    assert edges(lock)["cli 1.0"] == ["base 1.0", "base 2.0"]


def test_what_is_not_exported_is_in_no_edge() -> None:
    lock = lock_with(
        wheel("app", dependencies=[{"name": "base"}]), wheel("base", marker='"x" in extras')
    )
    assert edges(lock) == {"app 1.0": []}


def test_the_parents_of_a_package_are_sorted() -> None:
    entry = [{"name": "base"}]
    lock = lock_with(
        wheel("cli", dependencies=entry), wheel("app", dependencies=entry), wheel("base")
    )
    packages = select_packages(lock, SelectOptions())
    assert Depends(lock, packages).parents(packages[2].name) == ["app", "cli"]


def test_a_lock_of_a_tool_that_records_none_has_no_known_edges() -> None:
    assert not Depends(lock_with(wheel("app")), ()).are_known
    assert Depends(lock_with(wheel("app"), created_by="lockstream"), ()).are_known
    assert Depends(lock_with(wheel("app", dependencies=[{"name": "app"}])), ()).are_known
