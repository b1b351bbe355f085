"""Projects with a pyproject.toml, and what they require."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planner.inputs.inputs import Inputs
from planner.inputs.project import read_projects
from planner.inputs.scope_choice import ScopeChoice


def project(folder: Path, text: str) -> str:
    """Write the pyproject.toml of a project; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text)
    return str(folder)


def named(name: str, *dependencies: str, more: str = "") -> str:
    """The text of a project with these dependencies, and ``more`` tables."""
    return f"[project]\nname = '{name}'\nversion = '1'\ndependencies = {list(dependencies)}\n{more}"


def names(inputs: Inputs) -> list[str]:
    """What the inputs require, as text."""
    return [str(one.requirement) for one in inputs.requirements]


def read_project(folder: Path, text: str, **asked: Any) -> Inputs:
    """What a project requires with the extras and groups that are named, or with all."""
    extras, groups = (
        ScopeChoice(asked.get(kind, ()), (), everything=asked.get(f"all_{kind}", False))
        for kind in ("extras", "groups")
    )
    return read_projects([project(folder, text)], extras=extras, groups=groups)
