"""The dependencies, extras and dependency groups of projects that are planned together."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from planner.index.indexes import Pin
from planner.inputs.addresses import StatedAddress
from planner.inputs.conflicts import with_including
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.family import Family
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.project_document import InvalidProject, hint_for_folder, read_document
from planner.inputs.project_reader import EXTRA_HINT, ProjectReader, unknown_extra
from planner.inputs.project_settings import read_common_settings
from planner.inputs.project_tables import Backend, ProjectTables
from planner.inputs.requirement_line import limited
from planner.inputs.scope_choice import ScopeChoice
from planner.inputs.settings import Settings
from planner.inputs.tool_values import ToolTables
from planner.model.dependencies import Scope, scopes_of

__all__ = ["read_editables", "read_projects"]


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
    # A member that is planned gets those of the root of its workspace too.
    stated = [(one, one.tools) for one in named if not one.is_empty]
    projects = [one for project in named for one in family.expand(project)]
    path, settings = named[0].path, named[0].settings
    choice = extras or ScopeChoice()
    are_required = choice.are_required(settings.extras)
    known = {one.path: one.extra_names(are_required=are_required) for one in projects}
    known_extras = {extra for its in known.values() for extra in its}
    known_groups = {group for one in projects for group in one.groups}
    if are_required:
        known_scopes = scopes_of(known_extras, known_groups)
        for project, tools in stated:
            _check_scopes(project, tools, known_scopes)
    chosen_extras = choice.choose(known_extras, settings.extras, kind="extra", path=path)
    choice = groups or ScopeChoice()
    chosen_groups = choice.choose(known_groups, settings.groups, kind="dependency group", path=path)
    inputs = read_common_settings(named[0], projects)
    for project in projects:
        _check_has_project(project, has_groups=bool(chosen_groups))
        reader = ProjectReader(project, family)
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
    inputs = replace(inputs, extras=tuple(chosen_extras), groups=tuple(chosen_groups))
    return replace(
        inputs,
        settings=replace(
            _with_sources(inputs, family),
            conflicts=with_including(inputs.settings.conflicts, _included(projects, family)),
        ),
        remarks=(*inputs.remarks, *family.remarks()),
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
    inputs = read_common_settings(named[0], projects)
    remarks = [*inputs.remarks, *family.remarks()]
    for (one, folder), project in zip(editables, named, strict=True):
        marker = one.requirement.marker
        if problem := unknown_extra(project, one.requirement):
            raise InvalidRequirementLine(one.origin, problem, hint=EXTRA_HINT)
        reader = ProjectReader(project, family)
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
    return replace(
        inputs,
        settings=_with_sources(inputs, family),
        remarks=tuple(remarks),
        members=tuple(sorted(family.names)),
    )


def _included(projects: Iterable[ProjectTables], family: Family) -> dict[Scope, set[Scope]]:
    """Return the groups that each group includes, and the extras that each extra or group requires
    of a project.
    """
    found: dict[Scope, set[Scope]] = {}
    for project in projects:
        for name, groups in project.included_groups.items():
            each = {Scope("group", one) for one in groups}
            found.setdefault(Scope("group", name), set()).update(each)
    for section, selected in family.sections.items():
        for scope in selected:
            if scope is not None and scope != section:
                found.setdefault(scope, set()).add(section)
    return found


def _with_sources(inputs: Inputs, family: Family) -> Settings:
    """Return the settings of ``inputs`` with the sources of the members that are required. A source
    for an extra or group counts with everything that leads to its lines.
    """
    settings = inputs.settings.with_defaults(family.stated(inputs.settings.indexes))
    locked = inputs.scopes

    def counting(pin: Pin) -> Iterator[Pin]:
        scope = pin.where.scope
        if scope is None or scope in locked:
            yield pin
        selected = family.sections.get(scope, set()) if scope else set()
        for one in sorted(selected - {scope}, key=str):
            yield replace(pin, where=replace(pin.where, scope=one))

    sources = {
        name: tuple(dict.fromkeys(one for pin in pins for one in counting(pin)))
        for name, pins in settings.sources.items()
    }
    return replace(settings, sources=sources)


def _check_scopes(project: ProjectTables, tools: ToolTables, known: Collection[Scope]) -> None:
    """Raise InvalidProject for a source, or a conflict of our table, that is for an extra or group
    which is not ``known``: it would have no effect.
    """
    ours = project.settings
    stated: list[tuple[str, Scope | None]] = [
        *(("[tool.lockstream] conflicts", one) for each in ours.conflicts for one in sorted(each)),
        *_scopes("[tool.lockstream.sources]", ours.sources),
        *_scopes("[tool.uv.sources]", tools.settings.sources),
        *_scopes("[tool.uv.sources]", tools.addresses),
    ]
    for place, scope in stated:
        if scope is not None and scope not in known:
            raise InvalidProject(
                project.path,
                f"{place} names {scope}, which no project of the plan has",
                hint="correct the name, or add it to the project",
            )


def _scopes(
    place: str, sources: Mapping[NormalizedName, Iterable[Pin | StatedAddress]]
) -> Iterator[tuple[str, Scope | None]]:
    return ((f"{place} {name}", one.where.scope) for name, each in sources.items() for one in each)


def _requires_python(project: ProjectTables) -> SpecifierSet | None:
    return None if project.is_empty else project.requires_python


def _check_has_project(project: ProjectTables, *, has_groups: bool) -> None:
    if project.is_empty and not has_groups:
        raise InvalidProject(
            project.path,
            "it has no [project] table, so it requires nothing",
            hint=hint_for_folder(os.path.dirname(project.path)),
        )
