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
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.errors import UnreadableInput
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.requirement_line import parse_requirement
from planner.inputs.script import parse_script
from planner.inputs.settings import Settings, read_settings
from planner.model.dependencies import Scope
from schemas.errors import InvalidInput
from schemas.toml import parse_toml

__all__ = ["InvalidProject", "ScopeChoice", "read_document", "read_projects", "read_settings_of"]


MAX_INCLUDED = 100_000
"""Requirements of a group, or of the extras of a project, with all that they include."""


MAX_NESTING = 200
"""Groups, or extras, that include each other in one chain."""


@dataclass(eq=False)
class InvalidProject(InvalidInput):
    """A ``pyproject.toml`` lacks what planning needs, or holds it in the wrong form."""

    path: str
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """Which extras, or which dependency groups, of the projects the user wants in the lock."""

    named: Sequence[str] = ()
    """These; empty for those of the settings, or all."""
    left_out: Sequence[str] = ()
    everything: bool | None = None
    """True for all, False for none, None if the user does not say."""

    def choose(
        self, known: set[NormalizedName], configured: Sequence[str] | None, *, kind: str, path: str
    ) -> list[NormalizedName]:
        """Return the chosen ones of ``known``, sorted. ``configured`` are those of the settings in
        the file at ``path``. Raise InvalidProject if one is not known.
        """
        named = {canonicalize_name(name) for name in self.named or configured or ()}
        left_out = {canonicalize_name(name) for name in self.left_out}
        for name in sorted((named | left_out) - known):
            raise InvalidProject(path, f"there is no {kind} {name!r}; it has {_list(known)}")
        if self.everything is not None:
            named = known if self.everything else named if self.named else set()
        elif not self.named and configured is None:
            named = known
        return sorted(named - left_out)


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
        return path, parse_script(text) if is_script else parse_toml(text)
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
    extras: ScopeChoice | None = None,
    groups: ScopeChoice | None = None,
) -> Inputs:
    """Read what the projects in ``folders`` depend on together, with these extras and dependency
    groups of theirs; by default with those of the settings, or all. A requirement of one project
    on another is met by the project itself.

    Raise UnreadableInput, InvalidProject, InvalidRequirementLine or UnsupportedRequirementLine.
    """
    readers = [_ProjectReader(*read_document(folder)) for folder in folders]
    members = {reader.name: reader for reader in readers if reader.name}
    for reader in readers:
        reader.members = members
    path, settings = readers[0].path, readers[0].settings
    known_extras = {extra for reader in readers for extra in reader.extras}
    known_groups = {group for reader in readers for group in reader.groups}
    choice = extras or ScopeChoice()
    chosen_extras = choice.choose(known_extras, settings.extras, kind="extra", path=path)
    choice = groups or ScopeChoice()
    chosen_groups = choice.choose(known_groups, settings.groups, kind="dependency group", path=path)
    inputs = _read_settings(readers[0].path, settings)
    for reader in readers:
        inputs = inputs.merge(
            Inputs(
                requirements=tuple(reader.requirements(chosen_extras, chosen_groups)),
                requires_python=reader.requires_python,
            )
        )
    return replace(inputs, extras=tuple(chosen_extras), groups=tuple(chosen_groups))


def read_settings_of(folder: str) -> Inputs:
    """Return the settings of the project in ``folder``, with what they add to the requirements of
    a file; its own requirements do not count.

    Raise UnreadableInput, InvalidProject or InvalidRequirementLine.
    """
    path, document = read_document(folder)
    return _read_settings(path, read_settings(document, path))


def _read_settings(path: str, settings: Settings) -> Inputs:
    """Return the settings of a project, and what they add to the requirements. Those of the first
    project apply to all.
    """
    folder = os.path.dirname(path)
    return Inputs(
        settings=settings,
        find_links=tuple(
            place if "://" in place else os.path.normpath(os.path.join(folder, place))
            for place in settings.find_links
        ),
        excludes=tuple(map(canonicalize_name, settings.excludes)),
        constraints=_read_setting(path, "constraints", settings.constraints),
        overrides=_read_setting(path, "overrides", settings.overrides),
    )


def _read_setting(path: str, key: str, lines: Iterable[str]) -> tuple[InputRequirement, ...]:
    origin = f"{path} [tool.lockstream] {key}"
    return tuple(
        InputRequirement(requirement=parse_requirement(line, origin), origin=origin)
        for line in lines
    )


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
        self._lines_read = 0
        """Extras that require each other twice have two to the power of their number."""

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
        if len(above) > MAX_NESTING:
            raise InvalidProject(self.path, f"more than {MAX_NESTING} extras require each other")
        origin = f"[project.optional-dependencies] {extra}"
        return self._read(self.extras[extra], origin, scope, above | {(self.name, extra)})

    def _group_dependencies(self, group: NormalizedName) -> Iterator[InputRequirement]:
        if _included_lines(self._groups, group) > MAX_INCLUDED:
            raise InvalidProject(
                self.path, f"the group {group!r} includes more than {MAX_INCLUDED} requirements"
            )
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
            self._lines_read += 1
            if self._lines_read > MAX_INCLUDED:
                raise InvalidProject(self.path, f"{place} leads to more than {MAX_INCLUDED} lines")
            requirement = parse_requirement(line, origin)
            member = self.members.get(canonicalize_name(requirement.name))
            if member is None:
                yield InputRequirement(requirement=requirement, origin=origin, scope=scope)
                continue
            for extra in sorted(map(canonicalize_name, requirement.extras)):
                found = member.extra_dependencies(extra, scope, above)
                yield from (_limit(one, requirement.marker) for one in found)


def _limit(found: InputRequirement, marker: Marker | None) -> InputRequirement:
    """Return a requirement that applies only if the one that leads to it does."""
    if marker is None:
        return found
    limited = Requirement(str(found.requirement))
    own = limited.marker
    limited.marker = Marker(f"({own}) and ({marker})") if own else marker
    return replace(found, requirement=limited)


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


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
