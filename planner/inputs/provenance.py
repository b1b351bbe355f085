"""Inputs: where the requirements of a lock come from, noted in it so that it can be checked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from packaging.utils import canonicalize_name

from planner.inputs.inputs import Inputs
from planner.inputs.project import read_projects
from planner.inputs.requirements_file import read_requirements
from schemas.errors import UsageError

__all__ = ["Provenance", "read_inputs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The inputs as a command line names them. Paths are relative to the working folder."""

    projects: tuple[str, ...] = ()
    """Folders that hold a ``pyproject.toml``, and scripts."""
    requirements: tuple[str, ...] = ()
    """Requirements files; ``-`` is standard input."""
    constraints: tuple[str, ...] = ()
    """Constraints files."""
    overrides: tuple[str, ...] = ()
    """Overrides files."""
    excludes: tuple[str, ...] = ()
    """Names of projects that are left out."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    all_extras: bool = False
    all_groups: bool = False

    def to_table(self, folder: str) -> dict[str, Any]:
        """The TOML table for a lock in ``folder``: what is named, paths relative to there. What
        came from standard input cannot be read again, so nothing is noted of it.
        """
        table: dict[str, Any] = {}
        for field in fields(self):
            told = getattr(self, field.name)
            if field.name in _PATHS:
                told = [
                    Path(os.path.relpath(path, folder)).as_posix() for path in told if path != "-"
                ]
            if told:
                table[field.name.replace("_", "-")] = told if told is True else sorted(set(told))
        return table

    @classmethod
    def from_table(cls, table: object, folder: str) -> Self | None:
        """Read what ``to_table`` wrote; None where the lock does not tell."""
        if not isinstance(table, Mapping):
            return None
        told: dict[str, Any] = {}
        for field in fields(cls):
            value = table.get(field.name.replace("_", "-"))
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                if field.name in _PATHS:
                    value = [os.path.normpath(os.path.join(folder, path)) for path in value]
                told[field.name] = tuple(value)
            elif value is True and field.name.startswith("all_"):
                told[field.name] = True
        return cls(**told) if "projects" in told or "requirements" in told else None


_PATHS = ("projects", "requirements", "constraints", "overrides")


def read_inputs(sources: Provenance, *, environment: Mapping[str, str]) -> Inputs:
    """Read all that ``sources`` name; ``environment`` gives the values of ``${NAME}``.

    Raises UsageError where they cannot be meant together, UnreadableInput, InvalidProject,
    InvalidRequirementLine and UnsupportedRequirementLine.
    """
    inputs = Inputs()
    if sources.requirements:
        _refuse_project(sources)
    else:
        projects = sources.projects or (os.curdir,)
        _check_projects(projects, named=bool(sources.projects))
        inputs = read_projects(
            projects,
            extras=sources.extras,
            groups=sources.groups,
            all_extras=sources.all_extras,
            all_groups=sources.all_groups,
        )
    inputs.excludes += map(canonicalize_name, sources.excludes)
    return read_requirements(
        sources.requirements,
        sources.constraints,
        sources.overrides,
        environment=environment,
        inputs=inputs,
    )


def _refuse_project(sources: Provenance) -> None:
    of_project = (sources.extras, sources.groups, sources.all_extras, sources.all_groups)
    if sources.projects or any(of_project):
        raise UsageError(
            "requirements files and a project cannot be planned together",
            hint="give either -r, or PROJECT with --extra and --group",
        )


def _check_projects(projects: Sequence[str], *, named: bool) -> None:
    for folder in projects:
        is_script = folder.endswith(".py") and os.path.isfile(folder)
        if not is_script and not os.path.isfile(os.path.join(folder, "pyproject.toml")):
            raise UsageError(
                f"there is no pyproject.toml in {folder!r}" if named else "nothing to plan",
                hint="name requirements files with -r, or the folder of a pyproject.toml",
            )
