"""The indexes and addresses that Poetry's dependencies name, and where each counts.

Source: https://python-poetry.org/docs/dependency-specification/. Poetry says with ``extra`` in a
marker for which extra a source is, and with ``!=`` which extras exclude that one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from planner.index.indexes import Pin
from planner.inputs.addresses import StatedAddress
from planner.inputs.conditions import read_marker
from planner.inputs.conflicts import Conflicts
from planner.inputs.poetry import poetry_marker, source_url
from planner.model.conditions import Condition
from planner.model.dependencies import Scope
from schemas.data_class import frozen

__all__ = ["PoetrySources", "read_poetry_sources"]


_EXTRA = re.compile(r"extra\s*([=!]=)\s*[\"']([^\"']+)[\"']")
"""A condition on an extra."""


@frozen(kw_only=True)
class PoetrySources:
    """What the dependencies of one project say of where they come from; a value."""

    pins: Mapping[NormalizedName, tuple[Pin, ...]]
    addresses: Mapping[NormalizedName, tuple[StatedAddress, ...]]
    conflicts: Conflicts


def read_poetry_sources(
    tables: Iterable[Mapping[str, Any]], passed_over: Iterable[NormalizedName]
) -> PoetrySources:
    """Return what the ``tables`` of dependencies say, but for the projects ``passed_over``.

    Raise ValueError, which says what cannot be read.
    """
    without = set(passed_over)
    pins: dict[NormalizedName, dict[Pin, None]] = {}
    addresses: dict[NormalizedName, dict[StatedAddress, None]] = {}
    conflicts: dict[frozenset[Scope], None] = {}
    for project, value in (item for one in tables for item in one.items()):
        name = canonicalize_name(project)
        for entry in value if isinstance(value, list) else [value]:
            if not isinstance(entry, Mapping) or name in without:
                continue
            source, address = entry.get("source"), source_url(entry)
            if not source and not address:
                continue
            try:
                where, excluded = _condition(poetry_marker(entry))
            except ValueError as error:
                raise ValueError(f"[tool.poetry] {project} {error}") from None
            conflicts.update(dict.fromkeys(excluded))
            if source:
                pins.setdefault(name, {})[Pin(str(source), where)] = None
            else:
                addresses.setdefault(name, {})[StatedAddress(str(address), where)] = None
    return PoetrySources(
        pins={name: tuple(each) for name, each in pins.items()},
        addresses={name: tuple(each) for name, each in addresses.items()},
        conflicts=tuple(conflicts),
    )


def _condition(marker: str) -> tuple[Condition, list[frozenset[Scope]]]:
    """Return the condition of a marker, and the sets of extras that exclude each other by it.

    Raise ValueError, also for alternatives of extras.
    """
    if not _EXTRA.search(marker) or re.search(r"\bor\b", marker):
        return Condition(read_marker(marker) if marker else None), []
    parts = re.split(r"\s+and\s+", re.sub("[()]", "", marker))
    found = [(part, _EXTRA.fullmatch(part.strip())) for part in parts]
    rest = " and ".join(part for part, extra in found if extra is None)
    named = [(one[1], Scope("extra", canonicalize_name(one[2]))) for _, one in found if one]
    chosen = [scope for operator, scope in named if operator == "=="]
    if len(chosen) != 1:
        raise ValueError(f"has {marker!r}, which names no extra that it is for, or several")
    excluded = [frozenset({*chosen, scope}) for operator, scope in named if operator == "!="]
    return Condition(read_marker(rest) if rest else None, chosen[0]), excluded
