"""The files and options that a lock was planned from, recorded in it so that it can be checked."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from packaging.utils import canonicalize_name

from planner.inputs.inputs import Inputs
from planner.inputs.pip_config import unread_settings
from planner.inputs.project import read_editables, read_projects
from planner.inputs.project_document import hint_for_folder, is_project
from planner.inputs.project_settings import read_settings_of
from planner.inputs.project_tables import Backend
from planner.inputs.recorded_options import keep_recorded
from planner.inputs.remote_file import FetchFile, refuse_remote
from planner.inputs.requirements_file import read_requirements
from planner.inputs.scope_choice import ScopeChoice
from planner.inputs.tool_tables import settings_document
from planner.inputs.workspace import MAX_LEVELS
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.urls import storable

__all__ = ["ProjectMissing", "Provenance", "read_inputs"]


class ProjectMissing(UsageError):
    """A folder that is named, or recorded, has no project."""


@frozen(kw_only=True)
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
    """The extras of the projects that are locked; empty for those of the settings, or all."""
    no_extras: tuple[str, ...] = ()
    """Extras that are left out."""
    all_extras: bool | None = None
    """True for all extras, False for none, None if the options do not say."""
    groups: tuple[str, ...] = ()
    """The dependency groups that are locked, as the extras."""
    no_groups: tuple[str, ...] = ()
    all_groups: bool | None = None

    def to_table(self, folder: str) -> dict[str, Any]:
        """Return the TOML table for a lock in ``folder``, with paths relative to that folder.
        Standard input and pipes cannot be read again, so they are not recorded.
        """
        table: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _PATHS:
                value = [_recorded(path, folder) for path in value if _stays(path)]
            if isinstance(value, bool):
                table[field.name.replace("_", "-")] = value
            elif value:
                # The order of files counts: the settings of the first project apply to all.
                names = dict.fromkeys(value)
                ordered = list(names) if field.name in _PATHS else sorted(names)
                table[field.name.replace("_", "-")] = ordered
        return table

    def keep(self, recorded: Provenance) -> Provenance:
        """Return these inputs, with those of ``recorded`` that they do not replace."""
        dropped: set[str] = set()
        if self.requirements or (self.projects and self.projects != recorded.projects):
            dropped |= {"projects", "requirements", *_EXTRAS, *_GROUPS}
        for names in (_EXTRAS, _GROUPS):
            if any(getattr(self, name) not in {(), None} for name in names):
                dropped.update(names)
        defaults = Provenance()
        rest = {name: getattr(defaults, name) for name in dropped}
        return keep_recorded(self, replace(recorded, **rest))

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
            elif isinstance(value, bool) and field.name.startswith("all_"):
                known[field.name] = value
        return cls(**known) if "projects" in known or "requirements" in known else None


def _recorded(path: str, folder: str) -> str:
    """Return a path relative to ``folder``, or a URL as a lock may record it."""
    return storable(path) if "://" in path else Path(os.path.relpath(path, folder)).as_posix()


def _found(path: str, folder: str) -> str:
    return path if "://" in path else os.path.normpath(os.path.join(folder, path))


_EXTRAS = ("extras", "no_extras", "all_extras")


_GROUPS = ("groups", "no_groups", "all_groups")


_PATHS = ("projects", "requirements", "constraints", "overrides")


def read_inputs(
    provenance: Provenance,
    *,
    environment: Mapping[str, str],
    fetch: FetchFile = refuse_remote,
    backend: Backend | None = None,
) -> Inputs:
    """Read everything that ``provenance`` names; ``environment`` gives the values of ``${NAME}``,
    ``fetch`` the content of files at URLs, ``backend`` the metadata that no table of a project has.

    Raise UsageError if requirements files and a project are named together, ProjectMissing,
    UnreadableInput, InvalidProject, InvalidRequirementLine or UnsupportedRequirementLine.
    """
    if provenance.requirements:
        _refuse_project(provenance)
        inputs = _settings_for(provenance.requirements[0])
    else:
        projects = provenance.projects or (os.curdir,)
        _check_projects(projects, named=bool(provenance.projects))
        inputs = read_projects(
            projects,
            extras=ScopeChoice(provenance.extras, provenance.no_extras, provenance.all_extras),
            groups=ScopeChoice(provenance.groups, provenance.no_groups, provenance.all_groups),
            backend=backend,
        )
    excludes = tuple(map(canonicalize_name, provenance.excludes))
    remarks = tuple(
        f"{name} is set and has no effect here; say it in the inputs or on the command line"
        for name in unread_settings(environment)
    )
    files = read_requirements(
        provenance.requirements,
        provenance.constraints,
        provenance.overrides,
        environment=environment,
        fetch=fetch,
        read_editables=partial(read_editables, backend=backend),
    )
    merged = inputs.merge(Inputs(excludes=excludes, remarks=remarks)).merge(files)
    return replace(merged, remarks=tuple(dict.fromkeys(merged.remarks)))


_PASSING = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""What a shell names in the place of ``<(...)``, and a redirected standard input."""


def _stays(path: str) -> bool:
    """Return whether the file at ``path``, or at a URL, can be read again by a later command."""
    if path == "-" or os.path.abspath(path).startswith(_PASSING):
        return False
    try:
        return not stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return True


def _settings_for(path: str) -> Inputs:
    """Return the settings for a requirements file: of the nearest ``pyproject.toml`` that has a
    table of ours or of another tool, or ``uv.toml``, in its folder or above, as uv finds them from
    the working folder. Otherwise projects of a private index would be looked for on a public one.
    """
    if not _stays(path) or "://" in path:
        return Inputs()
    folder = os.path.dirname(path)
    for _ in range(MAX_LEVELS):
        if found := settings_document(folder):
            _check_owner(folder, path)
            return read_settings_of(*found)
        here = os.path.abspath(folder)
        above = os.path.dirname(here)
        if above == here:
            break
        folder = os.curdir if above == os.getcwd() else above
    return Inputs()


def _check_owner(folder: str, path: str) -> None:
    """Raise UsageError if the settings in ``folder``, for the requirements file at ``path``, are of
    a stranger: everybody may put some into ``/tmp``, and they say what is taken from where.
    """
    known = {0, os.geteuid()}
    with suppress(OSError):  # if it cannot be read, its reader says so
        known.add(os.stat(path).st_uid)
    for name in ("uv.toml", "pyproject.toml"):
        place = os.path.join(folder, name)
        if os.path.isfile(place) and os.stat(place).st_uid not in known:
            raise UsageError(
                f"{place} has settings for {path}, and belongs to another user",
                hint="remove it, or plan in a folder that nobody else can write to or above",
            )


def _refuse_project(provenance: Provenance) -> None:
    of_project = (
        provenance.extras,
        provenance.no_extras,
        provenance.all_extras,
        provenance.groups,
        provenance.no_groups,
        provenance.all_groups,
    )
    if provenance.projects:
        raise UsageError(
            "requirements files and a project cannot be planned together",
            hint="give either -r, or PROJECT with --extra and --group",
        )
    if any(of_project):  # also if the lock records the files, and the command names none
        raise UsageError(
            f"the inputs are requirements files ({', '.join(provenance.requirements)}), which have "
            "neither extras nor groups",
            hint="leave out these options, or name the project that is to be the input instead: "
            "lockstream plan FOLDER",
        )


def _check_projects(projects: Sequence[str], *, named: bool) -> None:
    for folder in projects:
        if not is_project(folder):
            problem = f"there is no pyproject.toml in {folder!r}" if named else "nothing to plan"
            if named and not os.path.exists(folder):
                problem = f"there is no file or folder {folder!r}"
            raise ProjectMissing(problem, hint=hint_for_folder(folder))
