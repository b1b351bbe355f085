"""Addresses that a project gives for what it requires by name, as in ``[tool.uv.sources]``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import field, replace

from packaging.requirements import Requirement

from planner.inputs.inputs import InputRequirement
from planner.inputs.project_document import InvalidProject
from planner.inputs.requirement_line import limited, parse_requirement
from planner.model.conditions import Condition
from planner.model.dependencies import Scope
from schemas.data_class import frozen

__all__ = ["StatedAddress", "with_addresses"]


@frozen
class StatedAddress:
    """An address that takes the place of the version of a project where the condition holds."""

    url: str
    where: Condition = field(default_factory=Condition)


def with_addresses(
    line: InputRequirement, addresses: Iterable[StatedAddress], section: Scope | None, path: str
) -> Iterator[InputRequirement]:
    """Yield ``line`` at each of the addresses of its project, and without one where none of them
    counts. It stands in ``section`` of the project at ``path``.

    Raise InvalidProject if two of them count everywhere, or InvalidRequirementLine.
    """
    counting = [one for one in addresses if one.where.scope in {None, section}]
    if not counting or line.requirement.url is not None:
        yield line
        return
    always = [one.url for one in counting if one.where.marker is None]
    if len(always) > 1:
        raise InvalidProject(
            path,
            f"{line.requirement.name} has several addresses",
            hint=f"write {line.requirement.name} @ URL with a marker under [project] dependencies",
        )
    for one in counting:
        requirement = limited(_at(line.requirement, one.url, line.origin, path), one.where.marker)
        yield replace(line, requirement=requirement)
    if not always:
        unless = tuple(Condition(one.where.marker) for one in counting)
        yield replace(line, unless=unless)


def _at(requirement: Requirement, address: str, origin: str, path: str) -> Requirement:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    text = f"{requirement.name}{extras} @ {address}{marker}"
    return parse_requirement(text, origin, folder=os.path.dirname(path))
