"""The keys that limit a part of the inputs: ``marker``, ``extra`` and ``group``.

Source: https://docs.astral.sh/uv/concepts/projects/dependencies/#dependency-sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import canonicalize_name

from planner.model.conditions import Condition
from planner.model.dependencies import Scope
from planner.model.project_set import first_invalid_name

__all__ = ["CONDITION_KEYS", "read_condition", "read_marker", "read_scope"]


CONDITION_KEYS = frozenset({"marker", "extra", "group"})


def read_condition(table: Mapping[str, Any]) -> Condition:
    """Return the condition that ``table`` has. Raise ValueError, which says what is wrong."""
    marker = table.get("marker")
    return Condition(None if marker is None else read_marker(marker), read_scope(table))


def read_marker(text: object) -> Marker:
    """Return a marker that every environment can evaluate. Raise ValueError."""
    if not isinstance(text, str):
        raise ValueError("has a marker that is not a string")  # noqa: TRY004  # the user's mistake
    try:
        marker = Marker(text)
        marker.evaluate(context="requirement")
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        raise ValueError(f"has {text!r}, which is not a marker of environments") from None
    return marker


def read_scope(table: Mapping[str, Any]) -> Scope | None:
    """Return the extra or the group that ``table`` names, if it does. Raise ValueError."""
    extra, group = table.get("extra"), table.get("group")
    if extra is not None and group is not None:
        raise ValueError("has both an extra and a group")
    name = group if extra is None else extra
    if name is None:
        return None
    if not isinstance(name, str) or first_invalid_name([name]) is not None:
        raise ValueError(f"has {name!r}, which is not the name of an extra or a group")
    return Scope("group" if extra is None else "extra", canonicalize_name(name))
