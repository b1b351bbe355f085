"""It is checked that a selection satisfies all requirements and holds nothing else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from packaging.version import Version

from helpers.releases import World
from planner.model.dependencies import Identifier
from planner.resolver.candidates import Candidate
from planner.resolver.resolution import WrongSelection, check_selection

RELEASES = {"app 1.0": ["base<2", "part"], "base 1.0": [], "base 2.0": [], "part 1.0": []}


def selection_of(world: World, *releases: str) -> Mapping[Identifier, Candidate]:
    found = {}
    for name, version in (release.split() for release in releases):
        (identifier,) = (one.identifier for one in world.roots(name))
        project = world.finder.project(identifier.name)
        wheels = world.finder.wheels(identifier.name, project.set_of(Version(version)))
        assert wheels
        found[identifier] = Candidate(identifier, wheels)
    return found


def check(*releases: str) -> None:
    world = World(RELEASES)
    check_selection(world.roots("app"), selection_of(world, *releases), world.reader, {})


def test_a_selection_that_is_right_passes() -> None:
    check("app 1.0", "base 1.0", "part 1.0")


@pytest.mark.parametrize("releases", [
    pytest.param(("app 1.0", "base 2.0", "part 1.0"), id="a wrong version"),
    pytest.param(("app 1.0", "base 1.0"), id="a project is missing"),
])  # fmt: skip
def test_a_selection_that_breaks_a_requirement_is_refused(releases: tuple[str, ...]) -> None:
    with pytest.raises(WrongSelection, match="is selected for"):
        check(*releases)


def test_a_selection_with_more_than_is_required_is_refused() -> None:
    world = World(RELEASES | {"other 1.0": []})
    selection = selection_of(world, "app 1.0", "base 1.0", "part 1.0", "other 1.0")
    with pytest.raises(WrongSelection, match="nothing requires other"):
        check_selection(world.roots("app"), selection, world.reader, {})


def test_a_selection_against_a_constraint_is_refused() -> None:
    world = World(RELEASES)
    selection = selection_of(world, "app 1.0", "base 1.0", "part 1.0")
    known = {one.identifier.name: [one] for one in world.roots("part<1")}
    with pytest.raises(WrongSelection, match="in spite of part<1"):
        check_selection(world.roots("app"), selection, world.reader, known)


def test_an_extra_of_another_version_than_its_project_is_refused() -> None:
    world = World({"app 1.0": [], "app 2.0": []})
    (extra, _) = (one.identifier for one in world.roots("app[x]"))
    newest = selection_of(world, "app 2.0")
    (oldest,) = selection_of(world, "app 1.0").values()
    selection = {**newest, extra: Candidate(extra, oldest.wheels)}
    with pytest.raises(WrongSelection):
        check_selection(world.roots("app[x]"), selection, world.reader, {})
