"""What the table of another tool says in our terms, and the values that such tables have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from packaging.markers import Marker
from packaging.utils import NormalizedName

from planner.inputs.addresses import StatedAddress
from planner.inputs.settings import Settings
from schemas.data_class import frozen

__all__ = [
    "ToolTables",
    "refuse_repeated_names",
    "table_at",
    "tables_of",
    "text_of",
    "texts_of",
    "unread",
]


@frozen(kw_only=True)
class ToolTables:
    """What the tables of other tools say, in the terms of ``[tool.lockstream]``; a value."""

    settings: Settings = field(default_factory=Settings)
    addresses: Mapping[NormalizedName, tuple[StatedAddress, ...]] = field(default_factory=dict)
    """Those of each project that is not taken from an index."""
    members: frozenset[NormalizedName] = frozenset()
    """The projects that are members of the workspace."""
    group_pythons: Mapping[NormalizedName, Marker] = field(default_factory=dict)
    """The Pythons that a dependency group is for, if not all."""
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """Warnings about keys that are not read."""

    def with_defaults(self, other: ToolTables) -> ToolTables:
        """Return these tables with those of ``other`` for what these do not say."""
        return ToolTables(
            settings=self.settings.with_defaults(other.settings),
            addresses={**other.addresses, **self.addresses},
            members=self.members | other.members,
            group_pythons={**other.group_pythons, **self.group_pythons},
            no_index=self.no_index or other.no_index,
            trusted_hosts=self.trusted_hosts + other.trusted_hosts,
            remarks=self.remarks + other.remarks,
        )


def table_at(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the table at ``keys``; an empty one if there is something else."""
    table: object = document
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table if isinstance(table, Mapping) else {}


def unread(
    table: Mapping[str, Any], keys: Mapping[str, str], place: str, ours: Settings
) -> Iterator[str]:
    """Yield a remark for each of ``keys`` that ``table``, at ``place``, has: it is not read, and
    the value of the key says what is in its place. None for what ``ours`` say themselves.
    """
    for key, instead in keys.items():
        name = instead.replace("-", "_")
        if key in table and getattr(ours, name, None) in (None, (), {}):
            advice = f"set {instead} in [tool.lockstream]" if hasattr(ours, name) else instead
            yield f"{place} {key} is not read; {advice or '[tool.lockstream] has nothing like it'}"


def tables_of(value: object) -> list[Mapping[str, Any]]:
    """Return a list of tables, which may be left out. Raise TypeError for another value."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise TypeError("a list of tables was expected")
    return value


def refuse_repeated_names(tables: Iterable[Mapping[str, Any]], key: str) -> None:
    """Raise ValueError if two of the ``tables`` under ``key`` have one name: only one of them would
    count, and its projects would be taken from elsewhere.
    """
    seen = set()
    for one in tables:
        if (name := one.get("name")) and str(name) in seen:
            raise ValueError(f"[[{key}]] {name} is there twice")
        seen.add(str(name))


def text_of(value: object) -> str | None:
    """Return a string, which may be left out. Raise TypeError for another value."""
    if value is not None and not isinstance(value, str):
        raise TypeError("a string was expected")
    return value


def texts_of(value: object) -> list[str]:
    """Return a string or a list of strings, which may be left out. Raise TypeError for another
    value.
    """
    if isinstance(value, str):
        return [value]
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError("a list of strings was expected")
    return value
