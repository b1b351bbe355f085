"""The dependencies, extras and dependency groups of projects, from ``pyproject.toml``.

Source: https://packaging.python.org/specifications/pyproject-toml/ and
https://packaging.python.org/specifications/dependency-groups/.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from packaging.dependency_groups import DependencyGroupResolver
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.errors import UnreadableInput
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.requirement_line import parse_requirement
from planner.inputs.script import parse_script
from planner.inputs.settings import read_settings
from planner.model.dependencies import Scope
from schemas.errors import InvalidInput

__all__ = ["InvalidProject", "read_document", "read_projects"]


@dataclass(eq=False)
class InvalidProject(InvalidInput):
    """A ``pyproject.toml`` lacks what planning needs, or holds it in the wrong form."""

    path: str
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


def read_document(folder: str) -> tuple[str, Mapping[str, Any]]:
    """Return the path and the content of the ``pyproject.toml`` in ``folder``, or of the metadata
    of a script if ``folder`` is the path of one.

    Raise UnreadableInput or InvalidProject.
    """
    is_script = folder.endswith(".py")
    path = os.path.normpath(folder if is_script else os.path.join(folder, "pyproject.toml"))
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
        return path, parse_script(text) if is_script else tomllib.loads(text)
    except OSError as error:
        raise UnreadableInput(path, error.strerror or str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidProject(path, f"not valid TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise InvalidProject(path, f"byte {error.start} is not UTF-8 text") from None
    except ValueError as error:
        raise InvalidProject(path, str(error)) from None


def read_projects(
    folders: Sequence[str],
    *,
    extras: Iterable[str] = (),
    groups: Iterable[str] = (),
    all_extras: bool = False,
    all_groups: bool = False,
) -> Inputs:
    """Read what the projects in ``folders`` depend on together, with these extras and dependency
    groups of theirs. A requirement of one project on another is met by the project itself.

    Raise UnreadableInput, InvalidProject, InvalidRequirementLine or UnsupportedRequirementLine.
    """
    readers = [_ProjectReader(*read_document(folder)) for folder in folders]
    members = {reader.name: reader for reader in readers if reader.name}
    for reader in readers:
        reader.members = members
    wanted_extras = {canonicalize_name(extra) for extra in extras}
    wanted_groups = {canonicalize_name(group) for group in groups}
    known_extras = {extra for reader in readers for extra in reader.extras}
    known_groups = {group for reader in readers for group in reader.groups}
    _check_known(readers[0], "extra", wanted_extras, known_extras)
    _check_known(readers[0], "dependency group", wanted_groups, known_groups)
    chosen_extras = sorted(known_extras if all_extras else wanted_extras)
    chosen_groups = sorted(known_groups if all_groups else wanted_groups)
    inputs = _read_settings_of(readers[0])
    for reader in readers:
        inputs = inputs.merge(
            Inputs(
                requirements=tuple(reader.requirements(chosen_extras, chosen_groups)),
                requires_python=reader.requires_python,
            )
        )
    return replace(inputs, extras=tuple(chosen_extras), groups=tuple(chosen_groups))


def _read_settings_of(reader: _ProjectReader) -> Inputs:
    """Return the settings of a project, and what they add to the requirements. Those of the first
    project apply to all.
    """
    settings = reader.settings
    folder = os.path.dirname(reader.path)
    return Inputs(
        settings=settings,
        find_links=tuple(
            place if "://" in place else os.path.normpath(os.path.join(folder, place))
            for place in settings.find_links
        ),
        excludes=tuple(map(canonicalize_name, settings.excludes)),
        constraints=_read_setting(reader.path, "constraints", settings.constraints),
        overrides=_read_setting(reader.path, "overrides", settings.overrides),
    )


def _read_setting(path: str, key: str, lines: Iterable[str]) -> tuple[InputRequirement, ...]:
    origin = f"{path} [tool.lockstream] {key}"
    return tuple(
        InputRequirement(requirement=parse_requirement(line, origin), origin=origin)
        for line in lines
    )


def _check_known(
    reader: _ProjectReader, kind: str, wanted: set[NormalizedName], known: set[NormalizedName]
) -> None:
    for name in sorted(wanted - known):
        raise InvalidProject(reader.path, f"there is no {kind} {name!r}; it has {_list(known)}")


class _ProjectReader:
    """Reads the document of one project; owned by one call of ``read_projects``."""

    def __init__(self, path: str, document: Mapping[str, Any]) -> None:
        self.path = path
        self.members: Mapping[NormalizedName, _ProjectReader] = {}
        """All projects of the inputs, by name."""
        self.settings = read_settings(document, path)
        self._project = self._table(document, "project")
        self.name = canonicalize_name(str(self._project.get("name", "")))
        extras = self._table(self._project, "optional-dependencies", "project.")
        self.extras = {canonicalize_name(name): lines for name, lines in extras.items()}
        groups = self._table(document, "dependency-groups")
        self.groups = {canonicalize_name(name) for name in groups}
        self._groups = groups

    def _table(self, above: Mapping[str, Any], key: str, prefix: str = "") -> Mapping[str, Any]:
        table = above.get(key, {})
        if not isinstance(table, Mapping):
            raise InvalidProject(self.path, f"[{prefix}{key}] is not a table")
        return table

    @property
    def requires_python(self) -> SpecifierSet | None:
        text = self._project.get("requires-python")
        if text is None:
            return None
        try:
            return SpecifierSet(text if isinstance(text, str) else "not a string")
        except InvalidSpecifier:
            raise InvalidProject(
                self.path, "[project] requires-python is not a version specifier"
            ) from None

    def requirements(
        self, extras: Iterable[NormalizedName], groups: Iterable[NormalizedName]
    ) -> Iterator[InputRequirement]:
        """Yield the dependencies, then those of the extras and groups that the project has."""
        yield from self._dependencies()
        for extra in extras:
            if extra in self.extras:
                yield from self.extra_dependencies(extra, Scope("extra", extra))
        for group in groups:
            if group in self.groups:
                yield from self._group_dependencies(group)

    def _dependencies(self) -> Iterator[InputRequirement]:
        if "dependencies" in self._project.get("dynamic", ()):
            raise InvalidProject(
                self.path,
                "its dependencies are dynamic: only its build backend knows them",
                hint="list them under [project] dependencies, or name a requirements file with -r",
            )
        lines = self._project.get("dependencies", [])
        return self._read(lines, "[project] dependencies", None, frozenset())

    def extra_dependencies(
        self,
        extra: NormalizedName,
        scope: Scope | None,
        above: frozenset[tuple[NormalizedName, NormalizedName]] = frozenset(),
    ) -> Iterator[InputRequirement]:
        """Return the requirements of an extra. A requirement on another extra of a planned project
        (as ``all`` often has) is replaced by the requirements of that extra.
        """
        if extra not in self.extras:
            raise InvalidProject(
                self.path, f"there is no extra {extra!r}; it has {_list(self.extras)}"
            )
        if (self.name, extra) in above:
            return iter(())
        origin = f"[project.optional-dependencies] {extra}"
        return self._read(self.extras[extra], origin, scope, above | {(self.name, extra)})

    def _group_dependencies(self, group: NormalizedName) -> Iterator[InputRequirement]:
        try:
            requirements = DependencyGroupResolver(self._groups).resolve(group)
        except ExceptionGroup as errors:
            problems = "; ".join(str(error).partition("\n")[0] for error in errors.exceptions)
            raise InvalidProject(
                self.path, f"{problems} (its dependency groups: {_list(self.groups)})"
            ) from None
        lines = [str(one) for one in requirements]
        scope = Scope("group", group)
        return self._read(lines, f"[dependency-groups] {group}", scope, frozenset())

    def _read(
        self,
        lines: object,
        place: str,
        scope: Scope | None,
        above: frozenset[tuple[NormalizedName, NormalizedName]],
    ) -> Iterator[InputRequirement]:
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise InvalidProject(self.path, f"{place} is not a list of strings")
        origin = f"{self.path} {place}"
        for line in lines:
            requirement = parse_requirement(line, origin)
            member = self.members.get(canonicalize_name(requirement.name))
            if member is None:
                yield InputRequirement(requirement=requirement, origin=origin, scope=scope)
                continue
            for extra in sorted(map(canonicalize_name, requirement.extras)):
                yield from member.extra_dependencies(extra, scope, above)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
