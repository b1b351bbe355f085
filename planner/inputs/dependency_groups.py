"""The requirements of a dependency group, with those of the groups that it includes (PEP 735).

Source: https://packaging.python.org/specifications/dependency-groups/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.dependency_groups import DependencyGroupResolver
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.project_document import InvalidProject, listed
from planner.inputs.requirement_line import parse_requirement

__all__ = ["MAX_INCLUDED", "MAX_NESTING", "group_lines", "included_groups"]


MAX_INCLUDED = 100_000
"""Requirements of the extras of a project, or of a group, with all that they include."""


MAX_NESTING = 200
"""Extras, or groups, that include each other in one chain."""


def group_lines(
    path: str, groups: Mapping[str, Any], name: NormalizedName
) -> tuple[str, list[str]]:
    """Return the place and the lines of the requirements of the group ``name``, one of the
    ``groups`` of the project at ``path``. Raises InvalidProject and InvalidRequirementLine.
    """
    if _included_lines(path, groups, name) > MAX_INCLUDED:
        problem = f"the group {name!r} includes more than {MAX_INCLUDED} requirements"
        raise InvalidProject(path, problem)
    try:
        found = DependencyGroupResolver(groups).resolve(name)
    except ExceptionGroup as errors:
        _refuse_lines(path, groups, name)
        problems = "; ".join(str(error).partition("\n")[0] for error in errors.exceptions)
        known = listed({canonicalize_name(one) for one in groups})
        raise InvalidProject(path, f"{problems} (its dependency groups: {known})") from None
    return f"[dependency-groups] {name}", [str(one) for one in found]


def included_groups(groups: Mapping[str, Any]) -> dict[NormalizedName, list[NormalizedName]]:
    """Return the groups that each of ``groups`` includes, with those that these include."""
    direct = {
        canonicalize_name(name): [
            canonicalize_name(str(line.get("include-group")))
            for line in (lines if isinstance(lines, list) else ())
            if isinstance(line, Mapping)
        ]
        for name, lines in groups.items()
    }
    found = {}
    for name, names in direct.items():
        known = dict.fromkeys(names)
        waiting = list(names)
        for one in waiting:
            new = [inner for inner in direct.get(one, ()) if inner not in known]
            known.update(dict.fromkeys(new))
            waiting += new
        found[name] = list(known)
    return found


def _refuse_lines(path: str, groups: Mapping[str, Any], name: NormalizedName) -> None:
    """Raise InvalidRequirementLine for a line that is not a requirement, in the group first."""
    for group in sorted(groups, key=lambda one: canonicalize_name(one) != name):
        lines = groups[group]
        for line in lines if isinstance(lines, list) else ():
            if isinstance(line, str):
                parse_requirement(line, f"{path} [dependency-groups] {group}")


def _included_lines(path: str, groups: Mapping[str, Any], name: str) -> int:
    """Return how many requirements a group has with those that it includes, as often as it does:
    groups that include each other twice have two to the power of their number. Raise InvalidProject
    if the chain is too long.
    """
    known: dict[str, int] = {}

    def count(name: str, above: frozenset[str]) -> int:
        name = canonicalize_name(name)
        if name in above:
            return 0  # a circle, which packaging refuses
        if len(above) > MAX_NESTING:
            raise InvalidProject(path, f"more than {MAX_NESTING} groups include each other")
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
