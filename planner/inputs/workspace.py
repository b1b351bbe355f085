"""The members of a uv workspace: projects of one repository that require each other.

Source: https://docs.astral.sh/uv/concepts/projects/workspaces/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from executor import read_input
from planner.inputs.project_document import InvalidProject
from schemas.toml import parse_toml

__all__ = ["find_workspace", "workspace_members"]


MAX_LEVELS = 32
"""Folders that are searched upwards for the root."""


def find_workspace(folder: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return the root of the workspace that ``folder`` is in, with the table of its members."""
    path = os.path.abspath(folder)
    for _ in range(MAX_LEVELS):
        if (table := _table(os.path.join(path, "pyproject.toml"))) is not None:
            return path, table
        above = os.path.dirname(path)
        if above == path:
            break
        path = above
    return None


def workspace_members(root: str, table: Mapping[str, Any]) -> Iterator[str]:
    """Yield the folders of the members, sorted, without the root itself. Raise InvalidProject."""
    excluded = [str(Path(root, one)) for one in _strings(table.get("exclude"))]
    found: set[str] = set()
    for pattern in _strings(table.get("members")):
        # An absolute pattern is not one of a workspace, and "." is its root.
        if os.path.isabs(pattern) or ".." in (parts := Path(pattern).parts) or not parts:
            continue
        if any("**" in part and part != "**" for part in parts):
            # Some versions of Python refuse it, and others read it as one asterisk.
            raise InvalidProject(
                os.path.join(root, "pyproject.toml"),
                f"[tool.uv.workspace] members: {pattern!r} is not a pattern",
            )
        found.update(str(path) for path in Path(root).glob(pattern) if path.is_dir())
    for folder in sorted(found):
        is_project = os.path.isfile(os.path.join(folder, "pyproject.toml"))
        if is_project and folder != root and not any(fnmatch(folder, one) for one in excluded):
            yield folder


def _table(path: str) -> Mapping[str, Any] | None:
    try:
        text = read_input(path).decode()
        table: object = parse_toml(text)
    except (OSError, ValueError):
        return None
    for key in ("tool", "uv", "workspace"):
        table = table.get(key) if isinstance(table, Mapping) else None
    return table if isinstance(table, Mapping) else None


def _strings(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []
