"""An obstacle is what no choice of other versions removes."""

from __future__ import annotations

from contextlib import suppress

from helpers.releases import World
from planner.resolver.obstacles import find_obstacles
from planner.resolver.search import Contradiction


def obstacles(world: World, *requirements: str) -> dict[str, str]:
    search = world.search(*requirements)
    with suppress(Contradiction):
        search.solve(world.roots(*requirements))
    found = find_obstacles(search, world.reader, world.finder)
    return {f"{identifier} {version}": one.text for (identifier, version), one in found.items()}


def test_a_dependency_that_nothing_satisfies_is_an_obstacle() -> None:
    world = World({"app 1.0": [], "app 2.0": ["base>=3"], "base 2.0": []})
    assert obstacles(world, "app") == {"app 2.0": "base>=3"}


def test_an_obstacle_is_one_to_what_requires_the_release() -> None:
    world = World({"top 1.0": ["app"], "app 1.0": ["part"], "part 1.0": ["missing"]})
    assert obstacles(world, "top") == {
        "part 1.0": "missing", "app 1.0": "part", "top 1.0": "app",
    }  # fmt: skip


def test_a_constraint_of_the_user_is_an_obstacle() -> None:
    world = World({"app 1.0": ["base>=2"], "base 1.0": [], "base 2.0": []})
    assert obstacles(world, "app", "base<2") == {"app 1.0": "base>=2"}


def test_what_other_choices_could_avoid_is_not_an_obstacle() -> None:
    world = World({
        "one 1.0": ["base<2"], "two 1.0": ["base>=2"], "two 0.9": [],
        "base 1.0": [], "base 2.0": [],
    })  # fmt: skip
    assert obstacles(world, "one", "two") == {}
