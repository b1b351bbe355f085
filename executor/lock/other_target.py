"""What to run so that a lock serves one target more.

Only an error loads this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schemas.hints import tool_value
from schemas.target import Target, platform_tags

__all__ = ["plan_for"]

_MOST = 6
"""Options of one kind in a command that people still read."""

_PLAIN = re.compile(r"[A-Za-z0-9._]+")
"""The names of targets; a lock may hold any text, and a command is copied into a shell."""


def plan_for(target: Target, tool: Mapping[str, Any] | None) -> str:
    """Return the command that plans for ``target``, and for the targets that ``tool``, the table of
    a lock, records.
    """
    pythons, platforms = _recorded(tool, "python"), _recorded(tool, "platform")
    python, platform = target.python_name.replace("+", ""), target.platform
    series = target.command.removeprefix("python")
    if not any(one == series or one.startswith(f"{series}.") for one in pythons):
        pythons.append(python)
    # An older tag of the same kind suits this machine, too.
    if not set(platforms) & set(platform_tags(platform)):
        platforms.append(platform)
    if max(len(pythons), len(platforms)) > _MOST:
        pythons, platforms = [python], [platform]
    words = [
        *(f"--python-version {one}" for one in pythons),
        *(f"--platform {one}" for one in platforms),
    ]
    return " ".join(["lockstream plan", *words])


def _recorded(tool: Mapping[str, Any] | None, key: str) -> list[str]:
    """Return what the recorded targets have at ``key``, each once."""
    found = tool_value(tool, "targets")
    tables = (one for one in (found if isinstance(found, list) else []) if isinstance(one, Mapping))
    names = dict.fromkeys(str(one.get(key, "")) for one in tables)
    return [name for name in names if _PLAIN.fullmatch(name)]
