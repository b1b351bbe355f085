"""The dependencies, extras and dependency groups of projects that are planned together."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.addresses import with_addresses
from planner.inputs.conflicts import with_including_groups
from planner.inputs.dependency_groups import MAX_INCLUDED, MAX_NESTING
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.family import Family
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.project_document import InvalidProject, hint_for_folder, listed, read_document
from planner.inputs.project_tables import Backend, ProjectTables, read_tools
from planner.inputs.requirement_line import limited, names_extra, parse_requirement, quoted
from planner.inputs.settings import Settings, read_settings
from planner.inputs.tool_values import ToolTables
from planner.model.dependencies import Scope
from schemas.data_class import frozen

__all__ = ["ScopeChoice", "read_editables", "read_projects", "read_settings_of"]


_KEYS_OF_TOOLS = {
    "constraints": "constraint-dependencies of uv",
    "overrides": "overrides of uv or PDM",
}
"""What errors call the settings that the tables of other tools give."""


_PROJECT_ROOT = re.compile(r"file:/{2,3}\$\{PROJECT_ROOT\}")
"""The folder of the project, as PDM and uv have it
(https://backend.pdm-project.org/metadata/#dependencies).
"""


@frozen
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
            raise InvalidProject(
                path,
                f"there is no {kind} {name!r}; it has {listed(known)}",
                hint="name one that it has, or add it to this file",
            )
        if self.everything is not None:
            named = known if self.everything else named if self.named else set()
        elif not self.named and configured is None:
            named = known
        return sorted(named - left_out)

    def are_required(self, configured: Sequence[str] | None) -> bool:
        """Return if any may be chosen, so that a project has to say which it has."""
        if self.everything is None and not self.named:
            return configured is None or bool(configured)
        return bool(self.named or self.everything)


Above = frozenset[tuple[NormalizedName, NormalizedName | None]]
"""The members and their extras that led to a requirement, so that a circle ends."""


def read_projects(
    folders: Sequence[str],
    *,
    extras: ScopeChoice | None = None,
    groups: ScopeChoice | None = None,
    backend: Backend | None = None,
) -> Inputs:
    """Read what the projects in ``folders`` depend on together, with these extras and dependency
    groups of theirs; by default with those of the settings, or all. A requirement of one project
    on another is met by the project itself.

    ``backend`` prepares metadata that no table has; without it such a project is an error.

    Raise UnreadableInput, InvalidProject, InvalidRequirementLine or UnsupportedRequirementLine.
    """
    named = [ProjectTables(*read_document(folder), backend) for folder in folders]
    family = Family(backend=backend)
    projects = [one for project in named for one in family.expand(project)]
    path, settings = named[0].path, named[0].settings
    choice = extras or ScopeChoice()
    are_required = choice.are_required(settings.extras)
    known = {one.path: one.extra_names(are_required=are_required) for one in projects}
    known_extras = {extra for its in known.values() for extra in its}
    known_groups = {group for one in projects for group in one.groups}
    chosen_extras = choice.choose(known_extras, settings.extras, kind="extra", path=path)
    choice = groups or ScopeChoice()
    chosen_groups = choice.choose(known_groups, settings.groups, kind="dependency group", path=path)
    inputs = _read_settings_of(named[0], projects)
    for project in projects:
        _check_has_project(project, has_groups=bool(chosen_groups))
        reader = _ProjectReader(project, family)
        inputs = inputs.merge(
            Inputs(
                requirements=tuple(
                    reader.requirements(
                        [one for one in chosen_extras if one in known[project.path]],
                        [one for one in chosen_groups if one in project.groups],
                    )
                ),
                requires_python=_requires_python(project),
            )
        )
    for member in family.always.values():
        inputs = inputs.merge(Inputs(requires_python=_requires_python(member)))
    included = {name: names for one in projects for name, names in one.included_groups.items()}
    conflicts = with_including_groups(inputs.settings.conflicts, included)
    return replace(
        inputs,
        settings=replace(inputs.settings, conflicts=conflicts),
        remarks=(*inputs.remarks, *family.remarks()),
        extras=tuple(chosen_extras),
        groups=tuple(chosen_groups),
        members=tuple(sorted(family.names)),
    )


def read_editables(
    editables: Sequence[tuple[InputRequirement, str]], *, backend: Backend | None = None
) -> Inputs:
    """Read what the projects require that requirements files name with ``-e FOLDER``, with the
    extras that are named there. As projects that are named on the command line, they are met by
    themselves, and are not in the lock.

    Raise as ``read_projects``.
    """
    family = Family(backend=backend)
    named = [ProjectTables(*read_document(folder), backend) for _, folder in editables]
    projects = [member for project in named for member in family.expand(project)]
    inputs = _read_settings_of(named[0], projects)
    remarks = [*inputs.remarks, *family.remarks()]
    for (one, folder), project in zip(editables, named, strict=True):
        marker = one.requirement.marker
        if problem := _unknown_extra(project, one.requirement):
            raise InvalidRequirementLine(one.origin, problem, hint=_EXTRA_HINT)
        reader = _ProjectReader(project, family)
        extras = sorted(map(canonicalize_name, one.requirement.extras))
        found = [*reader.dependencies(None, frozenset())]
        found += (
            line for name in extras for line in reader.extra_requirements(name, None, frozenset())
        )
        inputs = inputs.merge(
            Inputs(
                requirements=tuple(
                    replace(line, requirement=limited(line.requirement, marker)) for line in found
                ),
                requires_python=None if marker else _requires_python(project),
            )
        )
        remarks.append(
            f"{one.origin}: the project in {folder!r} is not in the lock; install it after the "
            f"lock: pip install --no-deps -e {folder}"
        )
    if not any(one.requirement.marker for one, _ in editables):
        for member in family.always.values():
            inputs = inputs.merge(Inputs(requires_python=_requires_python(member)))
    return replace(inputs, remarks=tuple(remarks), members=tuple(sorted(family.names)))


def _requires_python(project: ProjectTables) -> SpecifierSet | None:
    return None if project.is_empty else project.requires_python


def _check_has_project(project: ProjectTables, *, has_groups: bool) -> None:
    if project.is_empty and not has_groups:
        raise InvalidProject(
            project.path,
            "it has no [project] table, so it requires nothing",
            hint=hint_for_folder(os.path.dirname(project.path)),
        )


def read_settings_of(path: str, document: Mapping[str, Any]) -> Inputs:
    """Return the settings in the ``pyproject.toml`` at ``path``, also those of other tools, with
    what they add to the requirements of a file; its own requirements do not count.

    Raise InvalidProject or InvalidRequirementLine.
    """
    settings = read_settings(document, path)
    tools = read_tools(document, path, settings)
    return _with_tools(_as_inputs(path, settings, settings.with_defaults(tools.settings)), [tools])


def _read_settings_of(project: ProjectTables, projects: Iterable[ProjectTables]) -> Inputs:
    """Return the settings of the first project, which apply to all, and what they add to the
    requirements; the indexes and sources that any project names count too.
    """
    settings = project.settings
    tools = [project.tools, *(one.tools for one in projects if one is not project)]
    for one in tools:
        settings = settings.with_defaults(one.settings)
    inputs = _with_tools(_as_inputs(project.path, project.settings, settings), tools)
    addresses = {name: each for one in reversed(tools) for name, each in one.addresses.items()}

    def addressed(lines: Iterable[InputRequirement]) -> tuple[InputRequirement, ...]:
        return tuple(
            part
            for line in lines
            for part in with_addresses(line, addresses.get(line.name, ()), None, project.path)
        )

    return replace(
        inputs,
        constraints=addressed(inputs.constraints),
        overrides=addressed(inputs.overrides),
    )


def _with_tools(inputs: Inputs, tools: Sequence[ToolTables]) -> Inputs:
    return replace(
        inputs,
        no_index=any(one.no_index for one in tools),
        trusted_hosts=tuple(host for one in tools for host in one.trusted_hosts),
        remarks=tuple(remark for one in tools for remark in one.remarks),
    )


def _as_inputs(path: str, ours: Settings, settings: Settings) -> Inputs:
    """Return ``settings`` as inputs; what is not in ``ours`` is from the tables of other tools."""
    folder = os.path.dirname(path)
    return Inputs(
        settings=settings,
        find_links=tuple(
            place if "://" in place else os.path.normpath(os.path.join(folder, place))
            for place in settings.find_links
        ),
        excludes=tuple(map(canonicalize_name, settings.excludes)),
        constraints=_read_setting(path, "constraints", ours.constraints, settings.constraints),
        overrides=_read_setting(path, "overrides", ours.overrides, settings.overrides),
    )


def _read_setting(
    path: str, key: str, ours: Collection[str], lines: Iterable[str]
) -> tuple[InputRequirement, ...]:
    folder = os.path.dirname(path)
    found = []
    for line in lines:
        origin = f"{path} {f'[tool.lockstream] {key}' if line in ours else _KEYS_OF_TOOLS[key]}"
        requirement = parse_requirement(line, origin, folder=folder)
        found.append(InputRequirement(requirement=requirement, origin=origin))
    return tuple(found)


@frozen
class _ProjectReader:
    """Reads the requirements of one project."""

    project: ProjectTables
    family: Family

    def requirements(
        self, extras: Iterable[NormalizedName], groups: Iterable[NormalizedName]
    ) -> Iterator[InputRequirement]:
        """Yield the dependencies, then those of the extras and groups, which the project has."""
        if not self.project.is_empty:
            yield from self.dependencies(None, frozenset())
        for extra in extras:
            yield from self.extra_requirements(extra, Scope("extra", extra), frozenset())
        for group in groups:
            place, lines = self.project.group(group)
            scope = Scope("group", group)
            yield from self._read(lines, place, scope, scope, frozenset())

    def dependencies(self, scope: Scope | None, above: Above) -> Iterator[InputRequirement]:
        """Return the requirements that always apply."""
        place, lines = self.project.dependencies()
        return self._read(lines, place, None, scope, above)

    def extra_requirements(
        self, extra: NormalizedName, scope: Scope | None, above: Above
    ) -> Iterator[InputRequirement]:
        """Return the requirements of an extra. A requirement on another extra of a planned project
        (as ``all`` often has) is replaced by the requirements of that extra.
        """
        if (self.project.name, extra) in above:
            return iter(())
        if len(above) > MAX_NESTING:
            raise InvalidProject(
                self.project.path, f"more than {MAX_NESTING} extras require each other"
            )
        place, lines = self.project.extra_lines(extra)
        above |= {(self.project.name, extra)}
        return self._read(lines, place, Scope("extra", extra), scope, above)

    def _read(
        self,
        lines: Iterable[str],
        place: str,
        section: Scope | None,
        scope: Scope | None,
        above: Above,
    ) -> Iterator[InputRequirement]:
        """Yield the requirements of ``lines``, which stand in ``section`` at ``place`` and are
        needed in ``scope``.
        """
        project = self.project
        origin = f"{project.path} {place}"
        root = Path(project.folder).absolute().as_uri()
        for line in lines:
            self.family.lines_read += 1
            if self.family.lines_read > MAX_INCLUDED:
                raise InvalidProject(
                    project.path, f"{place} leads to more than {MAX_INCLUDED} lines"
                )
            text = _PROJECT_ROOT.sub(root, line)
            requirement = parse_requirement(text, origin, written=line, folder=project.folder)
            if names_extra(requirement):
                # No lock can hold it, and without an extra it would be left out.
                raise InvalidProject(
                    project.path,
                    f"{place}: the marker of {quoted(line)} names an extra",
                    hint="list the requirement under that extra, in "
                    "[project.optional-dependencies], without the condition",
                )
            name = canonicalize_name(requirement.name)
            if member := self.family.find(name, project):
                if problem := _unknown_extra(member, requirement):
                    raise InvalidProject(project.path, f"{place}: {problem}", hint=_EXTRA_HINT)
                yield from self._of_member(member, requirement, scope, above)
                continue
            addresses = () if project.is_poetry else project.tools.addresses.get(name, ())
            one = InputRequirement(requirement=requirement, origin=origin, scope=scope)
            yield from with_addresses(one, addresses, section, project.path)

    def _of_member(
        self, member: ProjectTables, requirement: Requirement, scope: Scope | None, above: Above
    ) -> Iterator[InputRequirement]:
        """Yield what a member requires in place of the requirement on it."""
        reader = _ProjectReader(member, self.family)
        if member.name:
            self.family.required.add(member.name)
        is_limited = scope is not None or requirement.marker is not None
        if not is_limited and above <= self.family.always.keys():
            self.family.always[member.name, None] = member
        found: list[InputRequirement] = []
        if member.name not in self.family.planned and (member.name, None) not in above:
            found += reader.dependencies(scope, above | {(member.name, None)})
        for extra in sorted(map(canonicalize_name, requirement.extras)):
            found += reader.extra_requirements(extra, scope, above)
        for one in found:
            yield replace(one, requirement=limited(one.requirement, requirement.marker))


_EXTRA_HINT = "correct the name, or add the extra to that project"


def _unknown_extra(member: ProjectTables, requirement: Requirement) -> str | None:
    """Return what is wrong with the extras that a requirement on a member names."""
    known = member.extra_names(are_required=bool(requirement.extras))
    unknown = sorted(set(map(canonicalize_name, requirement.extras)) - known)
    if not unknown:
        return None
    return f"{member.name or 'it'} has no extra {unknown[0]!r}; {member.path} has {listed(known)}"
