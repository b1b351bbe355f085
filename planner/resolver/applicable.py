"""The requirements of the inputs that apply in one environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement
from planner.model.dependencies import Dependency, applies, expand
from planner.model.environments import MarkerEnvironment

__all__ = ["applicable", "applicable_dependencies"]


def applicable(
    requirements: Iterable[InputRequirement], environment: MarkerEnvironment
) -> list[InputRequirement]:
    """Return the requirements whose markers hold in ``environment``.

    Raise InvalidRequirementLine for a marker that cannot be evaluated.
    """
    found = []
    for one in requirements:
        try:
            if _is_wanted(one, environment):
                found.append(one)
        except (UndefinedComparison, UndefinedEnvironmentName) as error:
            refused = InvalidRequirementLine(one.origin, f"its marker is invalid: {error}")
            if isinstance(error, UndefinedComparison) and "~=" in str(error):
                hint = (
                    "write >= or == in the place of ~=, which is for versions of two parts or more"
                )
                refused = replace(refused, hint=hint)
            raise refused from None
    return found


def _is_wanted(one: InputRequirement, environment: MarkerEnvironment) -> bool:
    if one.scope in environment.excluded:
        return False
    return applies(one.requirement.marker, environment.variables) and not any(
        where.holds(environment) for where in one.unless
    )


def applicable_dependencies(
    requirements: Iterable[InputRequirement], environment: MarkerEnvironment
) -> list[Dependency]:
    """Return the applicable requirements as dependencies. Raise InvalidRequirementLine."""
    return [
        dependency
        for one in applicable(requirements, environment)
        for dependency in expand(one.requirement, origin=one.origin, scope=one.scope)
    ]
