"""Distribution."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.pages import ProjectFile

__all__ = ["Distribution"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A file that suits the target: a wheel, or a source that one may be built of."""

    file: ProjectFile
    name: NormalizedName
    version: Version
    preference: tuple[int, tuple[int, str], str]
    """Among the wheels of one version the largest is the best: the tag that the target likes
    most, then the highest build number, which the format calls a tie-breaker."""
