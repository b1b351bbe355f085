"""The settings of projects, also those in the tables of other tools, as inputs of a plan."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packaging.utils import canonicalize_name

from planner.inputs.addresses import with_addresses
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.project_tables import ProjectTables, read_tools
from planner.inputs.requirement_line import parse_requirement
from planner.inputs.settings import Settings, read_settings
from planner.inputs.tool_values import ToolTables

__all__ = ["read_common_settings", "read_settings_of"]


_KEYS_OF_TOOLS = {
    "constraints": "constraint-dependencies of uv",
    "overrides": "overrides of uv or PDM",
}
"""What errors call the settings that the tables of other tools give."""


def read_settings_of(path: str, document: Mapping[str, Any]) -> Inputs:
    """Return the settings in the ``pyproject.toml`` at ``path``, also those of other tools, with
    what they add to the requirements of a file; its own requirements do not count, nor the sources
    for its extras and groups.

    Raise InvalidProject or InvalidRequirementLine.
    """
    settings = read_settings(document, path)
    tools = read_tools(document, path, settings)
    found = settings.with_defaults(tools.settings)
    sources = {
        name: tuple(pin for pin in pins if pin.where.scope is None)
        for name, pins in found.sources.items()
    }
    found = replace(found, sources={name: pins for name, pins in sources.items() if pins})
    return _with_tools(_as_inputs(path, settings, found), [tools])


def read_common_settings(project: ProjectTables, projects: Iterable[ProjectTables]) -> Inputs:
    """Return the settings of the first project, which apply to all, and what they add to the
    requirements; the indexes and sources that any project names count too.

    Raise InvalidProject or InvalidRequirementLine.
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
