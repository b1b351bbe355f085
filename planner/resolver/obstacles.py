"""Releases that cannot be selected whatever else is, and the dependency that is the obstacle."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import Version

from planner.model.dependencies import Dependency, Identifier
from planner.resolver.candidates import CandidateFinder
from planner.resolver.dependency_reader import DependencyReader
from planner.resolver.search import Search

__all__ = ["Obstacles", "find_obstacles"]


Obstacles = Mapping[tuple[Identifier, Version], Dependency]
"""By release, a dependency that nothing satisfies."""


def find_obstacles(search: Search, reader: DependencyReader, finder: CandidateFinder) -> Obstacles:
    """Return the obstacles of all releases whose dependencies ``search`` has read."""
    found: dict[tuple[Identifier, Version], Dependency] = {}
    hopeless: dict[Identifier, int] = {}

    def is_impossible(dependency: Dependency, dependent: Identifier, version: Version) -> bool:
        identifier = dependency.identifier
        if identifier.refused:
            return True
        if identifier.name == dependent.name and not finder.admits(dependency, version):
            return True
        project = Identifier(identifier.name)
        left = finder.matching(identifier.name, dependency.specifier)
        for one in (project, identifier):
            left &= ~search.banned(one) & ~hopeless.get(one, 0)
        return not left

    is_complete = False
    while not is_complete:
        is_complete = True
        # Dependencies are read after those that require them, so most is found in one pass.
        for key, dependencies in reversed(reader.known.items()):
            if key in found:
                continue
            obstacle = next((one for one in dependencies if is_impossible(one, *key)), None)
            if obstacle:
                identifier, version = key
                found[key] = obstacle
                releases = finder.project(identifier.name).set_of(version)
                hopeless[identifier] = hopeless.get(identifier, 0) | releases
                is_complete = False
    return found
