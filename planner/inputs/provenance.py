"""The files and options that a lock was planned from, recorded in it so that it can be checked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from packaging.utils import canonicalize_name

from planner.inputs.inputs import Inputs
from planner.inputs.pip_config import unread_variables
from planner.inputs.project import read_projects
from planner.inputs.remote_file import FetchFile, refuse_remote
from planner.inputs.requirements_file import read_requirements
from schemas.errors import UsageError
from schemas.urls import storable

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
        """Return the TOML table for a lock in ``folder``, with paths relative to that folder.
        Standard input cannot be read again, so it is not recorded.
        """
        table: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _PATHS:
                value = [_recorded(path, folder) for path in value if path != "-"]
            if value:
                table[field.name.replace("_", "-")] = value if value is True else sorted(set(value))
        return table

    @classmethod
    def from_table(cls, table: object, folder: str) -> Self | None:
        """Return what ``to_table`` recorded; None if the lock does not record its inputs."""
        if not isinstance(table, Mapping):
            return None
        known: dict[str, Any] = {}
        for field in fields(cls):
            value = table.get(field.name.replace("_", "-"))
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                if field.name in _PATHS:
                    value = [_found(path, folder) for path in value]
                known[field.name] = tuple(value)
            elif value is True and field.name.startswith("all_"):
                known[field.name] = True
        return cls(**known) if "projects" in known or "requirements" in known else None


def _recorded(path: str, folder: str) -> str:
    """Return a path relative to ``folder``, or a URL as a lock may record it."""
    return storable(path) if "://" in path else Path(os.path.relpath(path, folder)).as_posix()


def _found(path: str, folder: str) -> str:
    return path if "://" in path else os.path.normpath(os.path.join(folder, path))


_PATHS = ("projects", "requirements", "constraints", "overrides")


def read_inputs(
    provenance: Provenance,
    *,
    environment: Mapping[str, str],
    fetch: FetchFile = refuse_remote,
) -> Inputs:
    """Read everything that ``provenance`` names; ``environment`` gives the values of ``${NAME}``,
    ``fetch`` the content of files at URLs.

    Raise UsageError if requirements files and a project are named together, UnreadableInput,
    InvalidProject, InvalidRequirementLine or UnsupportedRequirementLine.
    """
    inputs = Inputs()
    if provenance.requirements:
        _refuse_project(provenance)
    else:
        projects = provenance.projects or (os.curdir,)
        _check_projects(projects, named=bool(provenance.projects))
        inputs = read_projects(
            projects,
            extras=provenance.extras,
            groups=provenance.groups,
            all_extras=provenance.all_extras,
            all_groups=provenance.all_groups,
        )
    excludes = tuple(map(canonicalize_name, provenance.excludes))
    remarks = tuple(
        f"{name} is set and has no effect here; say it in the inputs or on the command line"
        for name in unread_variables(environment)
    )
    files = read_requirements(
        provenance.requirements,
        provenance.constraints,
        provenance.overrides,
        environment=environment,
        fetch=fetch,
    )
    return inputs.merge(Inputs(excludes=excludes, remarks=remarks)).merge(files)


def _refuse_project(provenance: Provenance) -> None:
    of_project = (
        provenance.extras,
        provenance.groups,
        provenance.all_extras,
        provenance.all_groups,
    )
    if provenance.projects or any(of_project):
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
