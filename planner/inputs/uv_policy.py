"""The keys of ``[tool.uv]`` that say which versions and files may be chosen.

Source: https://docs.astral.sh/uv/reference/settings/.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from planner.index.indexes import Strategy
from planner.inputs.settings import Settings
from planner.inputs.tool_values import text_of, texts_of
from planner.model.policy import ANY_MOMENT, Ordering, Prereleases, parse_limit
from schemas.errors import UsageError

__all__ = ["read_moment", "read_uv_policy"]


_PRERELEASES = {
    "allow": Prereleases.ALLOW,
    "disallow": Prereleases.DISALLOW,
    "if-necessary": Prereleases.IF_NECESSARY,
    "if-necessary-or-explicit": Prereleases.IF_NECESSARY,
}


_ORDERINGS = {str(one): one for one in Ordering}


_STRATEGIES = {str(one): one for one in Strategy}


_ALL = ":all:"


def read_uv_policy(table: Mapping[str, Any]) -> tuple[Settings, set[str]]:
    """Return what the table of uv says of them, and the keys whose values mean nothing here.

    Raise TypeError if a value is of another kind than uv has, and ValueError for no moment.
    """
    prerelease, resolution, strategy = (
        text_of(table.get(key)) for key in ("prerelease", "resolution", "index-strategy")
    )
    settings = Settings(
        prerelease=_PRERELEASES.get(prerelease or ""),
        resolution=_ORDERINGS.get(resolution or ""),
        index_strategy=_STRATEGIES.get(strategy or ""),
        exclude_newer=_limit(table.get("exclude-newer")),
        exclude_newer_package=_limits(table.get("exclude-newer-package", {})),
        no_binary=_projects(table, "no-binary"),
        only_binary=_projects(table, "no-build"),
    )
    found = {
        "prerelease": settings.prerelease,
        "resolution": settings.resolution,
        "index-strategy": settings.index_strategy,
    }
    return settings, {key for key, value in found.items() if key in table and value is None}


def read_moment(value: object) -> str | None:
    """Return the moment of uv as ``parse_limit`` takes it: a date counts to its end. None if there
    is none. Raise TypeError for what is neither a string nor false.
    """
    if value is False:
        return ANY_MOMENT
    text = text_of(value)
    with suppress(ValueError):
        if text and len(text) == len("2026-01-01"):
            return (date.fromisoformat(text) + timedelta(days=1)).isoformat()
    return text


def _limit(value: object) -> str | None:
    moment = _checked("exclude-newer", value)
    return None if moment == ANY_MOMENT else moment


def _limits(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError("exclude-newer-package is not a table")
    return {
        name: _checked(f"exclude-newer-package {name}", one) or ANY_MOMENT
        for name, one in value.items()
    }


def _checked(key: str, value: object) -> str | None:
    """Return the moment. Raise ValueError with the key if it is none."""
    moment = read_moment(value)
    try:
        parse_limit(moment or ANY_MOMENT, datetime.now(UTC))
    except UsageError as error:
        raise ValueError(f"[tool.uv] {key}: {error}; {error.hint}") from None
    return moment


def _projects(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the projects that a key is for, by names or all of them."""
    named = tuple(texts_of(table.get(f"{key}-package")))
    return (_ALL, *named) if table.get(key) is True else named
