"""Overrides and excludes: the user's corrections of what distributions require."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from packaging.utils import NormalizedName

from planner.inputs.inputs import Inputs
from planner.model.dependencies import Dependency
from planner.model.environments import MarkerEnvironment
from planner.resolver.applicable import applicable_dependencies

__all__ = ["Overrides"]


class Overrides:
    """The overrides and excludes of ``inputs`` for ``environment``; its solver owns them.

    An override replaces every requirement on its project, or drops it if the marker of the
    override does not hold. A requirement on an excluded project is dropped.
    """

    def __init__(self, inputs: Inputs, environment: MarkerEnvironment) -> None:
        self._excluded = frozenset([*inputs.excludes, *inputs.members])
        self._overridden: dict[NormalizedName, list[Dependency]] = {
            one.name: [] for one in inputs.overrides
        }
        for override in applicable_dependencies(inputs.overrides, environment):
            self._overridden[override.identifier.name].append(override)

    def apply(self, dependencies: Iterable[Dependency]) -> Iterator[Dependency]:
        """Yield what is left of ``dependencies`` after overrides and excludes."""
        for dependency in dependencies:
            name = dependency.identifier.name
            if name in self._excluded:
                continue
            if name not in self._overridden:
                yield dependency
                continue
            for override in self._overridden[name]:
                # An override changes versions; an extra that was required stays required.
                extra = dependency.identifier.extra or override.identifier.extra
                yield replace(
                    dependency,
                    identifier=dependency.identifier._replace(extra=extra),
                    specifier=override.specifier,
                    url=override.url,
                    text=f"{dependency.text}, which {override.origin} overrides with "
                    f"{override.text}",
                )
