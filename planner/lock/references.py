"""How an entry of a lock names another: by its name, and by what tells it from others of the name.

Source: https://packaging.python.org/specifications/pylock-toml/#packages-dependencies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from packaging.pylock import Package
from packaging.utils import NormalizedName
from packaging.version import Version

__all__ = ["References", "Subject", "refers_to"]


class Subject(NamedTuple):
    """What an entry may be named by."""

    name: NormalizedName
    version: Version | None = None
    index_url: str = ""

    @classmethod
    def of(cls, package: Package) -> Subject:
        """Return what an entry may be named by that is ``package`` of a lock."""
        return cls(package.name, package.version, package.index or "")

    def to_table(self) -> dict[str, str]:
        """Return it as an entry of ``dependencies``."""
        table = {"name": str(self.name)}
        if self.version is not None:
            table["version"] = str(self.version)
        if self.index_url:
            table["index"] = self.index_url
        return table


def refers_to(entry: Mapping[str, Any], package: Package) -> bool:
    """Return whether an ``entry`` of ``dependencies`` that has the name of ``package`` is for it,
    not for another package of that name.
    """
    for key in ("version", "index"):
        value = getattr(package, key)
        if key in entry and (None if value is None else str(value)) != entry[key]:
            return False
    return True


class References:
    """The names of the ``entries`` of one lock: no longer than they have to be."""

    def __init__(self, entries: Iterable[Subject]) -> None:
        known = list(entries)
        self._of_name = Counter(one.name for one in known)
        self._of_version = Counter((one.name, one.version) for one in known)

    def to(self, entry: Subject) -> Subject:
        """Return ``entry`` without what nothing needs to tell it from the others."""
        if self._of_name[entry.name] < 2:
            return Subject(entry.name)
        if self._of_version[entry.name, entry.version] < 2:
            return Subject(entry.name, entry.version)
        return entry
