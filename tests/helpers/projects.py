"""Projects with a pyproject.toml, and what they require."""

from __future__ import annotations

from pathlib import Path

from planner.inputs.inputs import Inputs


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
