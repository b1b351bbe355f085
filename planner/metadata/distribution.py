"""A file of an index that the resolver may select."""

from __future__ import annotations

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.pages import ProjectFile
from schemas.data_class import frozen

__all__ = ["Distribution"]


@frozen
class Distribution:
    """A file that suits the target: a wheel, or a source that a wheel can be built from."""

    file: ProjectFile
    name: NormalizedName
    version: Version
    preference: tuple[int, tuple[int, str], str]
    """The wheel of one version with the largest value is selected: the tag that the target prefers,
    then the highest build number, the tie-breaker of the wheel format, then the file name."""
