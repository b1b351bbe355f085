"""Where a part of the inputs counts: in some environments, or with one extra or group."""

from __future__ import annotations

from packaging.markers import Marker

from planner.model.dependencies import Scope, applies
from planner.model.environments import MarkerEnvironment
from schemas.data_class import frozen

__all__ = ["Condition"]


@frozen
class Condition:
    """A marker, an extra or a dependency group, or both; without them it always holds."""

    marker: Marker | None = None
    scope: Scope | None = None

    def __str__(self) -> str:
        told = f'"{self.scope.name}" in {self.scope.variable}' if self.scope else ""
        if self.marker is None:
            return told
        return f"({self.marker}) and {told}" if told else str(self.marker)

    def holds(self, environment: MarkerEnvironment) -> bool:
        """Return whether it holds in ``environment``, in which all extras and groups are chosen but
        those that it excludes. Raise what ``Marker.evaluate`` raises.
        """
        if self.scope in environment.excluded:
            return False
        return applies(self.marker, environment.variables)
