"""Roots: what the inputs ask for in one environment."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement
from planner.model.dependencies import Dependency, applies, expand
from planner.model.environments import MarkerEnvironment

__all__ = ["applicable", "applicable_dependencies"]


def applicable(
    requirements: Iterable[InputRequirement], environment: MarkerEnvironment
) -> list[InputRequirement]:
    """Those whose markers hold in ``environment``. Raises InvalidRequirementLine."""
    found = []
    for one in requirements:
        try:
            if applies(one.requirement.marker, environment.variables):
                found.append(one)
        except (UndefinedComparison, UndefinedEnvironmentName) as error:
            raise InvalidRequirementLine(one.origin, f"its marker is invalid: {error}") from None
    return found


def applicable_dependencies(
    requirements: Iterable[InputRequirement], environment: MarkerEnvironment
) -> list[Dependency]:
    """The same as dependencies. Raises InvalidRequirementLine."""
    return [
        dependency
        for one in applicable(requirements, environment)
        for dependency in expand(one.requirement, origin=one.origin, scope=one.scope)
    ]
