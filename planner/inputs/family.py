"""The projects that are planned together, and the members of their workspaces."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from packaging.utils import NormalizedName

from planner.inputs.project_document import InvalidProject, read_document
from planner.inputs.project_tables import Backend, ProjectTables
from planner.inputs.settings import IndexSetting, Settings
from planner.inputs.workspace import find_workspace, workspace_members
from planner.model.dependencies import Scope
from schemas.text import enumerate_some

__all__ = ["Family"]


@dataclass(slots=True)
class Family:
    """The projects that are planned and the members of their workspaces, by name."""

    backend: Backend | None
    lines_read: int = 0
    """Extras that require each other twice have two to the power of their number."""
    planned: dict[NormalizedName, ProjectTables] = field(default_factory=dict)
    required: set[NormalizedName] = field(default_factory=set)
    """The members whose requirements take the place of a requirement on them."""
    always: dict[tuple[NormalizedName, None], ProjectTables] = field(default_factory=dict)
    """Those of them that are required for every target."""
    sections: dict[Scope, set[Scope | None]] = field(default_factory=dict)
    """The extras and groups whose lines were read, with what an installation selects for them."""
    _spoken_of: dict[str, list[NormalizedName]] = field(default_factory=dict)
    """By the path of the root of a workspace that is planned as a project, its members."""
    _members: dict[NormalizedName, ProjectTables] = field(default_factory=dict)
    _roots: set[str] = field(default_factory=set)
    _root_tables: dict[str, ProjectTables] = field(default_factory=dict)

    @property
    def names(self) -> set[NormalizedName]:
        """Return the names of all projects that are never taken from an index."""
        return {*self.planned, *self._members}

    def stated(self, known: Mapping[str, IndexSetting]) -> Settings:
        """Return the sources of the members that are required but not planned, with the indexes
        that these name: they serve nothing else. Raise InvalidProject if one of them is ``known``
        with another address.
        """
        found = Settings()
        for name in sorted(self.required - self.planned.keys()):
            member = self._members[name]
            own = member.settings.with_defaults(member.tools.settings)
            named = {pin.index for pins in own.sources.values() for pin in pins}
            indexes = {
                name: replace(one, explicit=True)
                for name, one in own.indexes.items()
                if name in named
            }
            for index, one in indexes.items():
                if index in known and known[index].url != one.url:
                    raise InvalidProject(
                        member.path,
                        f"its index {index} has another address in the project that requires it",
                        hint="give one of the two another name, here and in the sources",
                    )
            found = found.with_defaults(Settings(sources=own.sources, indexes=indexes))
        return found

    def expand(self, project: ProjectTables) -> Iterator[ProjectTables]:
        """Yield the project, or the members of the workspace of which it is only the root."""
        projects = [project]
        self._take_from_root(project)
        if project.workspace is not None:
            self._read_workspace(project.folder, project.workspace)
            if project.is_empty:
                projects = list(self._members.values())
                if not projects:
                    raise InvalidProject(project.path, "its workspace has no members")
            else:
                self._spoken_of[project.path] = list(self._members)
        for one in projects:
            if one.name:
                self.planned[one.name] = one
            yield one

    def remarks(self) -> Iterator[str]:
        """Yield what the user should know: a root that is a project does not stand for its members,
        which uv would lock with it.
        """
        for path, members in self._spoken_of.items():
            left_out = [name for name in members if name not in {*self.planned, *self.required}]
            if left_out:
                yield (
                    f"{path}: its workspace has members that are not planned: "
                    f"{enumerate_some(sorted(left_out))}; name their folders to plan them, too"
                )

    def find(self, name: NormalizedName, project: ProjectTables) -> ProjectTables | None:
        """Return the project of this name, if it is planned or a member."""
        if name in project.tools.members and name not in self.names:
            if found := find_workspace(project.folder):
                self._read_workspace(*found)
            if name not in self.names:
                raise InvalidProject(
                    project.path,
                    f"[tool.uv.sources] {name} is not a member of its workspace",
                    hint="plan in a whole checkout, with its folder in members of "
                    "[tool.uv.workspace]; or remove this source, to take it from an index",
                )
        return self.planned.get(name) or self._members.get(name)

    def _take_from_root(self, project: ProjectTables) -> None:
        """Add the indexes and sources of the root of the workspace that ``project`` is a member of;
        uv takes them from there.
        """
        if (found := find_workspace(project.folder)) is None:
            return
        root, table = found
        folder = os.path.abspath(project.folder)
        if folder != root and folder in workspace_members(root, table):
            self._take_from(root, project)

    def _take_from(self, root: str, member: ProjectTables) -> None:
        if root not in self._root_tables:
            self._root_tables[root] = ProjectTables(*read_document(root), self.backend)
        # The groups of the root are its own.
        theirs = replace(self._root_tables[root].tools, group_pythons={})
        member.tools = member.tools.with_defaults(theirs)

    def _read_workspace(self, root: str, table: Mapping[str, object]) -> None:
        root = os.path.abspath(root)
        if root in self._roots:
            return
        self._roots.add(root)
        for folder in (root, *workspace_members(root, table)):
            member = ProjectTables(*read_document(folder), self.backend)
            if folder != root and member.workspace is None:
                self._take_from(root, member)
            if member.name:
                other = self._members.setdefault(member.name, member)
                if other is not member:
                    raise InvalidProject(
                        member.path,
                        f"{other.path} is a member of the same workspace, with the same name",
                        hint="give one of them another name, or leave it out (exclude in "
                        "[tool.uv.workspace])",
                    )
