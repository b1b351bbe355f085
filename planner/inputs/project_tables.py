"""The requirements of one project as lines, whichever table or backend has them.

Sources: https://packaging.python.org/specifications/pyproject-toml/,
https://packaging.python.org/specifications/dependency-groups/ and
https://setuptools.pypa.io/en/latest/userguide/pyproject_config.html#dynamic-metadata.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packaging.dependency_groups import DependencyGroupResolver
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from executor import read_input
from planner.inputs.inputs import Inputs
from planner.inputs.poetry import poetry_lines, poetry_specifier
from planner.inputs.project_document import InvalidProject, is_legacy
from planner.inputs.requirement_line import parse_requirement
from planner.inputs.requirements_text import decode, logical_lines
from planner.inputs.settings import Settings, read_settings
from planner.inputs.tool_tables import read_tool_tables
from planner.inputs.tool_values import ToolTables, table_at
from schemas.text import one_line

if TYPE_CHECKING:
    from email.message import Message

__all__ = ["Backend", "ProjectTables", "refuse_backend"]


Backend = Callable[[str, str, Inputs], str]
"""Returns the core metadata that the build backend of a project prepares, given its folder, its
name (empty if no table has it) and the inputs with its settings."""


MAX_INCLUDED = 100_000
"""Requirements of a group, with all that it includes."""


MAX_NESTING = 200
"""Groups that include each other in one chain."""


def refuse_backend(folder: str, _name: str, _inputs: Inputs) -> str:
    """Raise InvalidProject: the command runs no build backend."""
    raise InvalidProject(
        os.path.join(folder, "pyproject.toml"),
        "only its build backend knows its requirements, and a check runs none",
        hint="plan again with --build; the lock stays as it is if nothing has changed",
    )


_EXTRA = re.compile(r'extra == "([^"]+)"')


def read_tools(document: Mapping[str, Any], path: str, ours: Settings) -> ToolTables:
    """Return what the tables of other tools in the ``pyproject.toml`` at ``path`` say besides
    ``ours``. Raise InvalidProject.
    """
    try:
        return read_tool_tables(document, path, ours)
    except (ValueError, KeyError) as error:
        problem = str(error) if isinstance(error, ValueError) else f"{error} is missing"
        raise InvalidProject(
            path, problem, hint="say it in [tool.lockstream.sources] and its indexes"
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
        self._poetry = table_at(document, "tool", "poetry")
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
        name = self._project.get("name") or self._poetry.get("name") or ""
        if self._is_legacy and self._backend is not None:
            name = self._metadata.get("Name") or ""
        return canonicalize_name(str(name))

    @property
    def workspace(self) -> Mapping[str, Any] | None:
        """Return the table of the workspace whose root this is, if it is one."""
        return table_at(self._document, "tool", "uv", "workspace") or None

    @property
    def requires_python(self) -> SpecifierSet | None:
        """Return the Pythons that the project supports; None if it does not say."""
        text = self._project.get("requires-python")
        if text is None and self.is_poetry:
            python = table_at(self._poetry, "dependencies").get("python")
            try:
                text = poetry_specifier(python) if isinstance(python, str) else None
            except ValueError:
                return None  # alternatives, of which a specifier can say none
        if text is None and (self._is_legacy or "requires-python" in self._dynamic):
            text = self._metadata.get("Requires-Python") if self._backend is not None else None
        if text is None:
            return None
        try:
            return SpecifierSet(text if isinstance(text, str) else "not a string")
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
            names = self._metadata.get_all("Provides-Extra", ())
            return {self._name(one, "its metadata") for one in names}
        return set(self._extras)

    def dependencies(self) -> tuple[str, list[str]]:
        """Return the place and the lines of the requirements that always apply."""
        place = "[project] dependencies"
        if self.is_poetry:
            place = "[tool.poetry.dependencies]"
            return place, list(self._poetry_lines(self._required_of_poetry(), place))
        if self._is_dynamic("dependencies"):
            if (found := self._setuptools("dependencies")) is not None:
                return "[tool.setuptools.dynamic] dependencies", found
            return "its metadata", list(self._metadata_lines(None))
        return place, self._strings(self._project.get("dependencies", []), place)

    def extra_lines(self, name: NormalizedName) -> tuple[str, list[str]]:
        """Return the place and the lines of the requirements of an extra."""
        if self._is_dynamic("optional-dependencies") and not self._extras:
            return f"its metadata, extra {name}", list(self._metadata_lines(name))
        place = f"[project.optional-dependencies] {name}"
        if name not in self._extras:
            raise InvalidProject(
                self.path, f"there is no extra {name!r}; it has {_listed(self._extras)}"
            )
        return place, self._strings(self._extras[name], place)

    def group(self, name: NormalizedName) -> tuple[str, list[str]]:
        """Return the place and the lines of the requirements of a dependency group."""
        if _included_lines(self._groups, name) > MAX_INCLUDED:
            raise InvalidProject(
                self.path, f"the group {name!r} includes more than {MAX_INCLUDED} requirements"
            )
        try:
            found = DependencyGroupResolver(self._groups).resolve(name)
        except ExceptionGroup as errors:
            self._refuse_lines(name)
            problems = "; ".join(str(error).partition("\n")[0] for error in errors.exceptions)
            raise InvalidProject(
                self.path, f"{problems} (its dependency groups: {_listed(self.groups)})"
            ) from None
        return f"[dependency-groups] {name}", [str(one) for one in found]

    def _refuse_lines(self, name: NormalizedName) -> None:
        """Raise InvalidRequirementLine for a line that is no requirement, in the group first."""
        for group in sorted(self._groups, key=lambda one: canonicalize_name(one) != name):
            lines = self._groups[group]
            for line in lines if isinstance(lines, list) else ():
                if isinstance(line, str):
                    parse_requirement(line, f"{self.path} [dependency-groups] {group}")

    def _table(self, above: Mapping[str, Any], key: str, prefix: str = "") -> Mapping[str, Any]:
        table = above.get(key, {})
        if not isinstance(table, Mapping):
            raise InvalidProject(self.path, f"[{prefix}{key}] is not a table")
        return table

    def _strings(self, value: object, place: str) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise InvalidProject(self.path, f"{place} is not a list of strings")
        return value

    def _is_dynamic(self, key: str) -> bool:
        return self._is_legacy or (key in self._dynamic and not self.is_poetry)

    def _read_extras(self) -> dict[NormalizedName, object]:
        table = self._table(self._project, "optional-dependencies", "project.")
        found: dict[NormalizedName, object] = self._by_name(table, "project.optional-dependencies")
        if self.is_poetry and not found:
            extras = self._by_name(table_at(self._poetry, "extras"), "tool.poetry.extras")
            for extra, members in extras.items():
                place = f"[tool.poetry.extras] {extra}"
                found[extra] = list(self._poetry_lines(self._of_extra(members, place), place))
        dynamic = table_at(self._document, "tool", "setuptools", "dynamic")
        for name in table_at(dynamic, "optional-dependencies"):
            extra = self._name(name, "[tool.setuptools.dynamic] optional-dependencies")
            found.setdefault(extra, self._setuptools("optional-dependencies", name) or [])
        return found

    def _name(self, text: str, place: str) -> NormalizedName:
        """Return the normalized name of an extra or a group. Raises InvalidProject for another."""
        try:
            return canonicalize_name(text, validate=True)
        except InvalidName:
            raise InvalidProject(
                self.path,
                f"{place} has the name {text!r}",
                hint="a name has letters, digits, and - _ . between them",
            ) from None

    def _by_name(self, table: Mapping[str, Any], place: str) -> dict[NormalizedName, Any]:
        """Return the entries by their normalized names, of which there may be no two (PEP 685)."""
        found: dict[NormalizedName, Any] = {}
        for text, value in table.items():
            name = self._name(text, f"[{place}]")
            if name in found:
                raise InvalidProject(
                    self.path,
                    f"[{place}] has two spellings of {name}",
                    hint="give one of them another name, or merge them",
                )
            found[name] = value
        return found

    def _read_groups(self) -> dict[str, Any]:
        groups = dict(self._table(self._document, "dependency-groups"))
        legacy = table_at(self._poetry, "dev-dependencies")
        places = [("dev", legacy)] if legacy else []
        places += (
            (name, table_at(self._poetry, "group", name, "dependencies"))
            for name in table_at(self._poetry, "group")
        )
        for name, table in places:
            place = f"[tool.poetry.group.{name}.dependencies]"
            groups[name] = [*groups.get(name, ()), *self._poetry_lines(table.items(), place)]
        pdm = table_at(self._document, "tool", "pdm", "dev-dependencies")
        uv = table_at(self._document, "tool", "uv").get("dev-dependencies")
        for name, lines in [*pdm.items(), *([("dev", uv)] if uv else [])]:
            place = f"dev-dependencies {name}"
            groups[name] = [*groups.get(name, ()), *self._strings(lines, place)]
        return groups

    def _required_of_poetry(self) -> Iterator[tuple[str, object]]:
        for name, value in table_at(self._poetry, "dependencies").items():
            is_optional = isinstance(value, Mapping) and value.get("optional") is True
            if name != "python" and not is_optional:
                yield name, value

    def _of_extra(self, names: object, place: str) -> Iterator[tuple[str, object]]:
        table = table_at(self._poetry, "dependencies")
        known = {canonicalize_name(name): (name, value) for name, value in table.items()}
        for text in self._strings(names, place):
            name = canonicalize_name(text.partition("[")[0])
            if name not in known:
                raise InvalidProject(self.path, f"{place} names {name}, which it does not require")
            yield known[name]

    def _poetry_lines(self, items: Iterable[tuple[str, object]], place: str) -> Iterator[str]:
        for name, value in items:
            try:
                yield from poetry_lines(name, value)
            except ValueError as error:
                raise InvalidProject(
                    self.path,
                    f"{place} {name}: {error}",
                    hint="list it under [project] dependencies",
                ) from None

    def _setuptools(self, *keys: str) -> list[str] | None:
        """Return the lines of the files that setuptools reads; None if it reads none."""
        table = table_at(self._document, "tool", "setuptools", "dynamic", *keys)
        files = table.get("file")
        if files is None:
            return None
        lines: list[str] = []
        for name in [files] if isinstance(files, str) else self._strings(files, "file"):
            path = os.path.join(self.folder, name)
            try:
                text = decode(read_input(path))
                lines += (line for _, line in logical_lines(text))
            except (OSError, ValueError) as error:
                problem = getattr(error, "strerror", None) or str(error)
                raise InvalidProject(path, problem) from None
        return lines

    @cached_property
    def _metadata(self) -> Message:
        if self._backend is None:
            name = str(self._project.get("name") or "")
            files = (os.path.join(self.folder, one) for one in ("setup.py", "setup.cfg"))
            raise InvalidProject(
                next(filter(os.path.exists, (self.path, *files)), self.path),
                "only its build backend knows its requirements"
                if self._is_legacy
                else f"its {_listed(self._dynamic)} are dynamic: only its build backend knows them",
                hint=f"let it prepare them with --build {name or 'missing'}, list them under "
                "[project], or name a requirements file with -r",
            )
        # Takes as long to load as all the rest, and few projects need it.
        from email.parser import HeaderParser  # noqa: PLC0415

        inputs = Inputs(settings=self.settings.with_defaults(self.tools.settings))
        name = str(self._project.get("name") or "")
        return HeaderParser().parsestr(self._backend(self.folder, name, inputs))

    def _metadata_lines(self, extra: NormalizedName | None) -> Iterator[str]:
        """Yield the requirements of the metadata that apply always, or because of ``extra``."""
        for line in self._metadata.get_all("Requires-Dist", ()):
            try:
                requirement = Requirement(line)
            except InvalidRequirement as error:
                problem = str(error).partition("\n")[0]
                raise InvalidProject(self.path, f"its metadata: {line!r}: {problem}") from None
            text = str(requirement.marker or "")
            if (extra is None) != (_EXTRA.search(text) is None):
                continue
            if extra is None or canonicalize_name(extra) in map(
                canonicalize_name, _EXTRA.findall(text)
            ):
                requirement.marker = _without_extra(text, extra)
                yield str(requirement)


def _without_extra(text: str, extra: NormalizedName | None) -> Marker | None:
    """Return the marker with the conditions on extras decided for ``extra``."""
    if extra is None:
        return Marker(text) if text else None
    shorter = re.sub(r'(?:^| and )extra == "[^"]+"$', "", text)
    if not _EXTRA.search(shorter):
        return Marker(shorter) if shorter else None

    def decided(found: re.Match[str]) -> str:
        is_it = canonicalize_name(found[1]) == extra
        return f'python_version {">=" if is_it else "<"} "0"'

    return Marker(_EXTRA.sub(decided, text))


def _included_lines(groups: Mapping[str, Any], name: str) -> int:
    """Return how many requirements a group has with those that it includes, as often as it does:
    groups that include each other twice have two to the power of their number.
    """
    known: dict[str, int] = {}

    def count(name: str, above: frozenset[str]) -> int:
        name = canonicalize_name(name)
        if name in above:
            return 0  # a circle, which packaging refuses
        if len(above) > MAX_NESTING:
            return MAX_INCLUDED + 1
        if name not in known:
            lines = lines_of.get(name)
            known[name] = sum(
                count(str(line.get("include-group")), above | {name})
                if isinstance(line, Mapping)
                else 1
                for line in (lines if isinstance(lines, list) else ())
            )
        return known[name]

    lines_of = {canonicalize_name(key): lines for key, lines in groups.items()}
    return count(name, frozenset())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
