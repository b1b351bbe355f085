"""The requirements of one project as lines, whichever table or backend has them.

Sources: https://packaging.python.org/specifications/pyproject-toml/,
https://packaging.python.org/specifications/dependency-groups/ and
https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html#dynamic-metadata.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from executor import read_input
from planner.inputs.dependency_groups import group_lines, included_groups
from planner.inputs.inputs import Inputs
from planner.inputs.poetry_tables import PoetryTables
from planner.inputs.prepared_metadata import PreparedMetadata
from planner.inputs.project_document import (
    InvalidProject,
    by_name,
    is_legacy,
    listed,
    strings,
    valid_name,
)
from planner.inputs.requirements_text import decode, logical_lines
from planner.inputs.settings import Settings, read_settings
from planner.inputs.tool_tables import read_tool_tables
from planner.inputs.tool_values import ToolTables, table_at
from schemas.text import one_line

__all__ = ["Backend", "ProjectTables", "refuse_backend"]


Backend = Callable[[str, str, Inputs], str]
"""Returns the core metadata that the build backend of a project prepares, given its folder, its
name (empty if no table has it) and the inputs with its settings."""


def refuse_backend(folder: str, _name: str, _inputs: Inputs) -> str:
    """Raise InvalidProject: the command runs no build backend."""
    raise InvalidProject(
        _stated(os.path.join(folder, "pyproject.toml")),
        "only its build backend knows its requirements, and a check runs none",
        hint="plan again with --build; the lock stays as it is if nothing has changed",
    )


def _stated(path: str) -> str:
    """Return ``path``, or if it is absent the file of setuptools beside it that says what the
    project is.
    """
    folder = os.path.dirname(path)
    files = (os.path.join(folder, one) for one in ("setup.py", "setup.cfg"))
    return next(filter(os.path.exists, (path, *files)), path)


def read_tools(document: Mapping[str, Any], path: str, ours: Settings) -> ToolTables:
    """Return what the tables of other tools in the ``pyproject.toml`` at ``path`` say besides
    ``ours``. Raise InvalidProject.
    """
    try:
        return read_tool_tables(document, path, ours)
    except (ValueError, KeyError) as error:
        problem = str(error) if isinstance(error, ValueError) else f"{error} is missing"
        raise InvalidProject(
            path,
            problem,
            hint="correct it, or say it in [tool.lockstream], whose sources and indexes go first",
        ) from None


class ProjectTables:
    """The document of one project; owned by one call of ``read_projects``."""

    def __init__(self, path: str, document: Mapping[str, Any], backend: Backend | None) -> None:
        self.path = path
        self.folder = os.path.dirname(path)
        self.settings = read_settings(document, path)
        self.tools = read_tools(document, path, self.settings)
        self._backend = backend
        self._document = document
        self._project = self._table(document, "project")
        self._poetry = PoetryTables(document, path)
        self._metadata = PreparedMetadata(path, self._prepare)
        dynamic = self._project.get("dynamic", ())
        self._dynamic = frozenset(dynamic if isinstance(dynamic, list) else ())
        has_project = "project" in document
        self.is_poetry = bool(self._poetry) and (not has_project or "dependencies" in self._dynamic)
        """True if the dependencies are those of Poetry's own table."""
        self.is_empty = not (
            has_project or self.is_poetry or "build-system" in document or is_legacy(self.folder)
        )
        """True if no table says that this is a project."""
        self._is_legacy = not (has_project or self.is_poetry or self.is_empty)
        self._extras = self._read_extras()
        self._groups = self._read_groups()
        self.groups = {canonicalize_name(name) for name in self._groups}

    @cached_property
    def name(self) -> NormalizedName:
        """The name of the project; empty if it has none."""
        name = self._project.get("name") or self._poetry.name or ""
        if self._is_legacy and self._backend is not None:
            name = self._metadata.name or ""
        return canonicalize_name(str(name))

    @property
    def workspace(self) -> Mapping[str, Any] | None:
        """Return the table of the workspace whose root this is, if it is one."""
        return table_at(self._document, "tool", "uv", "workspace") or None

    @property
    def requires_python(self) -> SpecifierSet | None:
        """Return the Pythons that the project supports; None if it does not say.

        Poetry locks for those of its own table alone, which may be fewer
        (https://python-poetry.org/docs/pyproject/#requires-python).
        """
        text = self._project.get("requires-python")
        narrower = self._poetry.requires_python or ""
        if text is None and narrower:
            text = narrower
        if text is None and (self._is_legacy or "requires-python" in self._dynamic):
            text = self._metadata.requires_python if self._backend is not None else None
        if text is None:
            return None
        try:
            return SpecifierSet(text if isinstance(text, str) else "not a string") & narrower
        except InvalidSpecifier:
            shown = one_line(str(text), 80)
            raise InvalidProject(
                self.path,
                f"[project] requires-python is not a version specifier: {shown!r}",
                hint="write it as >=3.11 or >=3.11,<4",
            ) from None

    def extra_names(self, *, are_required: bool) -> set[NormalizedName]:
        """Return the extras. If only the build backend knows them and they ``are_required``, it is
        run.
        """
        if are_required and self._is_dynamic("optional-dependencies") and not self._extras:
            return self._metadata.extras()
        return set(self._extras)

    def dependencies(self) -> tuple[str, list[str]]:
        """Return the place and the lines of the requirements that always apply."""
        if self.is_poetry:
            return self._poetry.dependencies()
        if self._is_dynamic("dependencies"):
            if (found := self._setuptools("dependencies")) is not None:
                return "[tool.setuptools.dynamic] dependencies", found
            return "its metadata", list(self._metadata.lines(None))
        place = "[project] dependencies"
        return place, strings(self.path, self._project.get("dependencies", []), place)

    def extra_lines(self, name: NormalizedName) -> tuple[str, list[str]]:
        """Return the place and the lines of the requirements of an extra."""
        if self._is_dynamic("optional-dependencies") and not self._extras:
            return f"its metadata, extra {name}", list(self._metadata.lines(name))
        place = f"[project.optional-dependencies] {name}"
        return place, strings(self.path, self._extras[name], place)

    def group(self, name: NormalizedName) -> tuple[str, list[str]]:
        """Return the place and the lines of the requirements of a dependency group."""
        return group_lines(self.path, self._groups, name)

    @property
    def included_groups(self) -> dict[NormalizedName, list[NormalizedName]]:
        """Return the groups that each dependency group includes, directly or not."""
        return included_groups(self._groups)

    def _table(self, above: Mapping[str, Any], key: str, prefix: str = "") -> Mapping[str, Any]:
        table = above.get(key, {})
        if not isinstance(table, Mapping):
            raise InvalidProject(self.path, f"[{prefix}{key}] is not a table")
        return table

    def _is_dynamic(self, key: str) -> bool:
        return self._is_legacy or (key in self._dynamic and not self.is_poetry)

    def _read_extras(self) -> dict[NormalizedName, object]:
        table = self._table(self._project, "optional-dependencies", "project.")
        found: dict[NormalizedName, object] = by_name(
            self.path, table, "project.optional-dependencies"
        )
        if self.is_poetry and not found:
            found.update(self._poetry.extras())
        dynamic = table_at(self._document, "tool", "setuptools", "dynamic")
        for name in table_at(dynamic, "optional-dependencies"):
            extra = valid_name(self.path, name, "[tool.setuptools.dynamic] optional-dependencies")
            found.setdefault(extra, self._setuptools("optional-dependencies", name) or [])
        return found

    def _read_groups(self) -> dict[str, Any]:
        groups = dict(self._table(self._document, "dependency-groups"))
        for name, lines in self._poetry.groups():
            groups[name] = [*groups.get(name, ()), *lines]
        pdm = table_at(self._document, "tool", "pdm", "dev-dependencies")
        uv, rye = (
            table_at(self._document, "tool", one).get("dev-dependencies") for one in ("uv", "rye")
        )
        for name, lines in [*pdm.items(), *(("dev", one) for one in (uv, rye) if one)]:
            place = f"dev-dependencies {name}"
            groups[name] = [*groups.get(name, ()), *strings(self.path, lines, place)]
        return groups

    def _setuptools(self, *keys: str) -> list[str] | None:
        """Return the lines of the files that setuptools reads; None if it reads none."""
        table = table_at(self._document, "tool", "setuptools", "dynamic", *keys)
        files = table.get("file")
        if files is None:
            return None
        lines: list[str] = []
        for name in [files] if isinstance(files, str) else strings(self.path, files, "file"):
            path = os.path.join(self.folder, name)
            try:
                text = decode(read_input(path))
                lines += (line for _, line in logical_lines(text))
            except (OSError, ValueError) as error:
                problem = getattr(error, "strerror", None) or str(error)
                raise InvalidProject(path, problem) from None
        return lines

    def _prepare(self) -> str:
        """Return the core metadata that the build backend prepares. Raise InvalidProject if the
        user did not allow it to run.
        """
        name = str(self._project.get("name") or "")
        self._refuse_setup_cfg_alone()
        if self._backend is not None:
            inputs = Inputs(settings=self.settings.with_defaults(self.tools.settings))
            return self._backend(self.folder, name, inputs)
        raise InvalidProject(
            _stated(self.path),
            "only its build backend knows its requirements"
            if self._is_legacy
            else f"its {listed(self._dynamic)} are dynamic: only its build backend knows them",
            hint=f"let it prepare them with --build {name or 'missing'}, list them under "
            "[project], or name a requirements file with -r",
        )

    def _refuse_setup_cfg_alone(self) -> None:
        """Raise InvalidProject if there is no file but ``setup.cfg``, which no build reads."""
        path, script = (os.path.join(self.folder, one) for one in ("setup.cfg", "setup.py"))
        if os.path.exists(path) and not any(map(os.path.exists, (self.path, script))):
            raise InvalidProject(
                path,
                "a project needs a pyproject.toml or a setup.py besides",
                hint="list its install_requires under [project] of a pyproject.toml, or name a "
                "requirements file with -r",
            )
