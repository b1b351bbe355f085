"""A failed search is explained from what the user wrote down to what is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.releases import TARGET, World
from planner.index.pages import ProjectFile
from planner.model.dependencies import Dependency
from planner.model.environments import MarkerEnvironment
from planner.resolver.explanation import Explainer
from planner.resolver.obstacles import find_obstacles
from planner.resolver.search import Contradiction
from planner.resolver.unsolvable import Unsolvable


def explain(world: World, *requirements: str) -> Unsolvable:
    search = world.search(*requirements)
    roots = world.roots(*requirements)
    known: dict[str, list[Dependency]] = {}
    for one in roots:
        known.setdefault(one.identifier.name, []).append(one)
    with pytest.raises(Contradiction) as raised:
        search.solve(roots)
    obstacles = find_obstacles(search, world.reader, world.finder)
    explainer = Explainer(world.finder, known, search.first_met, obstacles)  # type: ignore[arg-type]
    return explainer.explain(raised.value.proof, MarkerEnvironment((TARGET,)))


def test_both_sides_of_a_conflict_are_named() -> None:
    world = World({
        "app 1.0": ["base<2"], "other 1.0": ["base>=2"], "base 1.0": [], "base 2.0": [],
    })  # fmt: skip
    text = str(explain(world, "app", "other"))
    assert "app 1.0 needs base<2" in text
    assert "other 1.0 needs base>=2" in text


def test_a_missing_wheel_is_hinted_at() -> None:
    error = explain(World({"app 1.0": []}, "app 1.0"), "app")
    assert "app-1.0-cp311-cp311-win32.whl: it is built for win32" in str(error)
    assert error.hint.startswith("choose versions that have wheels for the target")


def test_all_that_is_missing_is_named_at_once() -> None:
    error = explain(World({}), "one", "two")
    assert error.hint.startswith("correct the name, or add where the project is")
    text = str(error)
    assert "the index does not know one" in text
    assert "the index does not know two" in text


def test_a_project_that_a_package_needs_in_vain_may_be_elsewhere() -> None:
    error = explain(World({"app 1.0": ["nowhere"]}), "app")
    assert "the index does not know nowhere" in str(error)
    assert error.hint.startswith("correct the name, or add where the project is")


def test_releases_that_each_need_a_release_of_their_own_are_one_line() -> None:
    numbers = range(1, 21)
    error = explain(
        World({
            **{f"sdk {one}.0": [f"api=={one}.0"] for one in numbers},
            **{f"api {one}.0": [] for one in (*numbers, 99)},
            "other 1.0": ["api==99"],
        }),
        "sdk", "other",
    )  # fmt: skip
    _, other, sdk, _ = str(error).splitlines()
    assert other == "  r.txt:1 says other; other 1.0 needs api==99"
    assert sdk == (
        "  r.txt:1 says sdk; sdk 20.0, 19.0, 18.0, 17.0, 16.0 and 15 more each need one of "
        "api==20.0, api==19.0, api==18.0, api==17.0, api==16.0 and 15 more"
    )


class Untouched(tuple[ProjectFile, ...]):
    """Files that nobody may read."""

    __slots__ = ()

    def __iter__(self) -> Iterator[ProjectFile]:
        raise AssertionError("files were read that explain nothing")


def test_the_files_of_other_versions_are_not_read_to_explain() -> None:
    world = World({"app 1.0": [], "app 2.0": [], "app 3.0": []}, "app 1.0")
    world.replace_files("app", "2.0", Untouched())
    assert "app 1.0 no file can be used" in str(explain(world, "app==1.0"))


def test_older_versions_of_a_project_that_is_no_cause_are_not_judged() -> None:
    world = World({"app 1.0": [], "fine 1.0": [], "fine 2.0": []}, "app 1.0")
    world.replace_files("fine", "1.0", Untouched())
    assert "fine" not in str(explain(world, "fine", "app"))
