"""What the user states of projects, as metadata of their versions."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.inputs.stated_metadata import StatedMetadata
from planner.metadata.core_metadata import WheelMetadata, parse_requirement

__all__ = ["Statements"]


class Statements:
    """The metadata that the user states; several threads may ask for it."""

    def __init__(self, stated: Iterable[StatedMetadata]) -> None:
        self._stated: dict[tuple[NormalizedName, Version | None], StatedMetadata] = {}
        for one in stated:
            self._stated.setdefault((one.name, one.version), one)
        self._made: dict[tuple[NormalizedName, Version], WheelMetadata] = {}

    def of(self, name: NormalizedName, version: Version) -> WheelMetadata | None:
        """Return what is stated of a version, else of all versions of its project; or None."""
        stated = self._stated.get((name, version)) or self._stated.get((name, None))
        if stated is None:
            return None
        key = name, version
        if key not in self._made:
            self._made[key] = WheelMetadata(
                name=name,
                version=version,
                requires=tuple(map(parse_requirement, stated.requires)),
                requires_python=stated.requires_python,
                extras=frozenset(stated.extras),
            )
        return self._made[key]
