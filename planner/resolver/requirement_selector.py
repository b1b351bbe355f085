"""What the requirements of distributions come down to in one environment."""

from __future__ import annotations

from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from planner.metadata.core_metadata import select
from planner.model.dependencies import Dependency, MarkerEvaluator
from planner.model.environments import MarkerEnvironment

__all__ = ["RequirementSelector"]


class RequirementSelector:
    """A selector for one environment, which remembers its selections; a solver owns it.

    Several threads may call it.
    """

    def __init__(self, environment: MarkerEnvironment) -> None:
        self._markers = MarkerEvaluator(environment.variables)
        self._selected: dict[
            tuple[int, NormalizedName | None], tuple[Requirement, tuple[Dependency, ...]]
        ] = {}

    def select(
        self, requirement: Requirement, extra: NormalizedName | None
    ) -> tuple[Dependency, ...]:
        """Return ``requirement`` as dependencies, none if it does not apply; for ``extra``, only if
        it applies because of the extra. Raise InvalidMetadata if its marker cannot be evaluated.
        """
        # Releases of a project share most requirements, which are parsed once: evaluating their
        # markers again for each would take a quarter of a long search.
        key = id(requirement), extra
        known = self._selected.get(key)
        if known is None:
            found = tuple(select((requirement,), self._markers, extra))
            known = self._selected[key] = requirement, found
        return known[1]
