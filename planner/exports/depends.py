"""Which of the exported packages depends on which, as the lock records it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from packaging.pylock import Pylock
from packaging.utils import NormalizedName, canonicalize_name

from planner.exports.selection import ExportedPackage
from planner.lock.references import refers_to
from schemas.hints import TOOL_NAME

__all__ = ["Depends"]


class Depends:
    """The edges between ``packages`` of ``lock``, in all environments together.

    Source: https://packaging.python.org/specifications/pylock-toml/#packages-dependencies
    """

    def __init__(self, lock: Pylock, packages: Sequence[ExportedPackage]) -> None:
        self.are_known = lock.created_by == TOOL_NAME or any(
            package.dependencies for package in lock.packages
        )
        """Whether the lock records any. It is optional, and uv and pip leave it out."""
        self._named: dict[NormalizedName, list[ExportedPackage]] = {}
        for one in packages:
            self._named.setdefault(one.name, []).append(one)
        self._parents: dict[NormalizedName, set[NormalizedName]] = {}
        for one in packages:
            for other in self.of(one):
                self._parents.setdefault(other.name, set()).add(one.name)

    def of(self, package: ExportedPackage) -> list[ExportedPackage]:
        """Return what ``package`` depends on, without itself, in the order of the lock."""
        found = {
            id(one): one
            for entry in package.package.dependencies or ()
            for one in self._meant(entry)
            if one.name != package.name
        }
        return list(found.values())

    def parents(self, name: NormalizedName) -> list[NormalizedName]:
        """Return the names of the packages that depend on ``name``, sorted."""
        return sorted(self._parents.get(name, ()))

    def _meant(self, entry: Mapping[str, Any]) -> Iterator[ExportedPackage]:
        name = entry.get("name")
        for one in self._named.get(canonicalize_name(str(name)), ()):
            if refers_to(entry, one.package):
                yield one
