"""Which packages of a lock require which, by name, for a page."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from packaging.pylock import Pylock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from schemas.hints import TOOL_NAME

__all__ = ["required_by"]


def required_by(lock: Pylock) -> dict[str, list[str]]:
    """Return the names of the packages that require each package, on any target.

    Requirements that the lock does not record are ignored.
    """
    parents: dict[str, set[str]] = {package.name: set() for package in lock.packages}
    for package in lock.packages:
        table = (package.tool or {}).get(TOOL_NAME)
        lines = table.get("requires") if isinstance(table, Mapping) else None
        for line in lines if isinstance(lines, list) else ():
            with suppress(InvalidRequirement):
                name = canonicalize_name(Requirement(str(line)).name)
                if name in parents and name != package.name:
                    parents[name].add(package.name)
    return {name: sorted(found) for name, found in parents.items() if found}
