"""The requirements of one project, of those that are planned together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.addresses import with_addresses
from planner.inputs.dependency_groups import MAX_INCLUDED, MAX_NESTING
from planner.inputs.family import Family
from planner.inputs.inputs import InputRequirement
from planner.inputs.project_document import InvalidProject, listed
from planner.inputs.project_tables import ProjectTables
from planner.inputs.requirement_line import limited, names_extra, parse_requirement, quoted
from planner.model.dependencies import Scope
from schemas.data_class import frozen

__all__ = ["EXTRA_HINT", "ProjectReader", "unknown_extra"]


_PROJECT_ROOT = re.compile(r"file:/{2,3}\$\{PROJECT_ROOT\}")
"""The folder of the project, as PDM and uv have it
(https://backend.pdm-project.org/metadata/#dependencies).
"""


EXTRA_HINT = "correct the name, or add the extra to that project"
"""What to do about an extra that a project does not have."""


Above = frozenset[tuple[NormalizedName, NormalizedName | None]]
"""The members and their extras that led to a requirement, so that a circle ends."""


@frozen
class ProjectReader:
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
            marker = self.project.tools.group_pythons.get(group)
            for one in self._read(lines, place, scope, scope, frozenset()):
                yield replace(one, requirement=limited(one.requirement, marker))

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
        if section is not None and not self._is_flat(scope, above):
            self.family.sections.setdefault(section, set()).add(scope)
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
                if problem := unknown_extra(member, requirement):
                    raise InvalidProject(project.path, f"{place}: {problem}", hint=EXTRA_HINT)
                yield from self._of_member(member, requirement, scope, above)
                continue
            addresses = () if project.is_poetry else project.tools.addresses.get(name, ())
            one = InputRequirement(requirement=requirement, origin=origin, scope=scope)
            yield from with_addresses(one, addresses, section, project.path)

    def _is_flat(self, scope: Scope | None, above: Above) -> bool:
        """Return whether the lines count as those of the extra that leads to them, as with uv: they
        are reached from an extra through extras of the same project alone.
        """
        is_extra = scope is not None and scope.kind == "extra"
        return is_extra and all(name == self.project.name for name, _ in above)

    def _of_member(
        self, member: ProjectTables, requirement: Requirement, scope: Scope | None, above: Above
    ) -> Iterator[InputRequirement]:
        """Yield what a member requires in place of the requirement on it."""
        reader = ProjectReader(member, self.family)
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


def unknown_extra(member: ProjectTables, requirement: Requirement) -> str | None:
    """Return what is wrong with the extras that a requirement on a member names."""
    known = member.extra_names(are_required=bool(requirement.extras))
    unknown = sorted(set(map(canonicalize_name, requirement.extras)) - known)
    if not unknown:
        return None
    return f"{member.name or 'it'} has no extra {unknown[0]!r}; {member.path} has {listed(known)}"
