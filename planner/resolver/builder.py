"""The interface through which the resolver uses the builder of source distributions."""

from __future__ import annotations

from typing import Protocol

from packaging.utils import NormalizedName

from planner.index.pages import ProjectFile
from planner.inputs.inputs import InputRequirement
from schemas.target import Target

__all__ = ["SourceBuilder"]


class SourceBuilder(Protocol):
    """A builder, owned by the plan, which decides what sources are candidates and opens trees."""

    def refuse(self, project: NormalizedName, target: Target) -> str | None:
        """Return why no wheel of ``project`` may be built for ``target``, or None if one may."""

    def open_tree(self, requirement: InputRequirement, target: Target) -> ProjectFile:
        """Return what a direct reference leads to, as the source of one version."""
