"""resolvelib is offered the candidates of a selection, and only if they satisfy everything."""

from __future__ import annotations

import pytest
from resolvelib import BaseReporter, ResolutionImpossible, Resolver

from helpers.releases import World
from planner.model.dependencies import Dependency, Identifier
from planner.resolver.candidates import Candidate
from planner.resolver.provider import SelectionProvider

WORLD = {"app 1.0": ["base<2"], "base 1.0": [], "base 2.0": []}


def check(world: World, selected: dict[str, str], *requirements: str) -> set[str]:
    selection = {}
    for name, version in selected.items():
        (identifier,) = (one.identifier for one in world.roots(name))
        one = world.finder.project(identifier.name).set_of(next(
            release.version
            for release in world.finder.project(identifier.name).releases
            if str(release.version) == version
        ))  # fmt: skip
        wheels = world.finder.wheels(identifier.name, one)
        assert wheels
        selection[identifier] = Candidate(identifier, wheels)
    roots = world.roots(*requirements)
    known = {one.identifier.name: [one] for one in roots}
    provider = SelectionProvider(selection, world.reader, known)
    reporter: BaseReporter[Dependency, Candidate, Identifier] = BaseReporter()
    return {str(one) for one in Resolver(provider, reporter).resolve(roots).mapping.values()}


def test_a_selection_that_satisfies_all_requirements_is_taken() -> None:
    found = check(World(WORLD), {"app": "1.0", "base": "1.0"}, "app")
    assert found == {"app 1.0", "base 1.0"}


@pytest.mark.parametrize("selected", [
    pytest.param({"app": "1.0", "base": "2.0"}, id="a wrong version"),
    pytest.param({"app": "1.0"}, id="a project is left out"),
])  # fmt: skip
def test_a_selection_that_does_not_is_refused(selected: dict[str, str]) -> None:
    with pytest.raises(ResolutionImpossible):
        check(World(WORLD), selected, "app")
