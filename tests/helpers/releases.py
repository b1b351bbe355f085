"""Releases in memory, and a search among them without an index.

``World`` stands in for what an index has and what the metadata of its wheels says::

    world = World({"app 1.0": ["base<2"], "base 1.0": []})
    world.search("app").solve(world.roots("app"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from helpers.resolvelib_check import check_with_resolvelib
from planner.index.pages import ProjectFile, ProjectPage, group_files
from planner.model.dependencies import Dependency, Identifier, expand
from planner.model.policy import Prereleases
from planner.resolver.candidates import Candidate, CandidateFinder, ReleaseJudge
from planner.resolver.dependency_reader import DependencyReader
from planner.resolver.evaluator import FileEvaluator
from planner.resolver.releases import Project
from planner.resolver.search import Search
from schemas.target import Target

__all__ = ["World", "page_of", "project_of"]

TARGET = Target.named("3.11", "manylinux_2_28_x86_64")


def page_of(name: str, *filenames: str) -> ProjectPage:
    """Return the page of a project with these files."""
    files = (ProjectFile(one, "", {"filename": one, "url": one}) for one in filenames)
    return ProjectPage(canonicalize_name(name), group_files(files), exists=bool(filenames))


def project_of(name: str, *versions: str) -> Project:
    """Return a project with a wheel of each of ``versions``."""
    return Project(page_of(name, *(f"{name}-{one}-py3-none-any.whl" for one in versions)))


class World:
    """What exists: by release (``app 1.0``, ``app[extra] 1.0``) what it requires."""

    def __init__(self, releases: Mapping[str, Sequence[str]], *unusable: str) -> None:
        self.read: list[str] = []
        """The candidates whose dependencies were read, in order."""
        self.known: dict[tuple[Identifier, object], tuple[Dependency, ...]] = {}
        self._releases = releases
        versions: dict[NormalizedName, list[str]] = {}
        for release in dict.fromkeys(key.partition("[")[0].split()[0] for key in releases):
            versions[canonicalize_name(release)] = [
                key.split()[1] for key in releases if key.split()[0] == release
            ]
        tags = {True: "cp311-cp311-win32", False: "py3-none-any"}
        self._pages = {
            name: page_of(
                name, *(f"{name}-{one}-{tags[f'{name} {one}' in unusable]}.whl" for one in found)
            )
            for name, found in versions.items()
        }
        self.finder = CandidateFinder(
            lambda name: Project(self._pages.get(name, ProjectPage(name, exists=False))),
            ReleaseJudge([FileEvaluator(TARGET)]),
            prereleases=Prereleases.IF_NECESSARY,
            named_prereleases=frozenset(),
        )

    def replace_files(self, name: str, version: str, files: Sequence[ProjectFile]) -> None:
        """Let a version have ``files``; before anything asks for its project."""
        page = self._pages[canonicalize_name(name)]
        self._pages[page.name] = ProjectPage(page.name, {**page.files, version: files})

    def dependencies(self, candidate: Candidate) -> tuple[Dependency, ...]:
        """Return what a candidate requires, as a DependencyReader does."""
        key = candidate.identifier, candidate.version
        if key not in self.known:
            self.read.append(str(candidate))
            requires = list(self._releases.get(str(candidate), ()))
            if candidate.identifier.extra:
                requires.insert(0, f"{candidate.identifier.name}==={candidate.version}")
            self.known[key] = tuple(one for text in requires for one in self.roots(text))
        return self.known[key]

    def roots(self, *requirements: str) -> list[Dependency]:
        """Return requirements as dependencies."""
        return [one for text in requirements for one in expand(Requirement(text), origin="r.txt:1")]

    @property
    def reader(self) -> DependencyReader:
        """Return this world as the reader of dependencies that it stands in for."""
        return cast("DependencyReader", self)

    def search(self, *known: str) -> Search:
        """Return a search in which the requirements ``known`` apply to every candidate."""
        by_name: dict[NormalizedName, list[Dependency]] = {}
        for one in self.roots(*known):
            by_name.setdefault(one.identifier.name, []).append(one)
        return Search(self.finder, self.reader, by_name)

    def solve(self, *requirements: str) -> dict[str, str]:
        """Return the versions that a new search selects for ``requirements``; resolvelib has to
        take them too.
        """
        roots = self.roots(*requirements)
        found = self.search(*requirements).solve(roots)
        check_with_resolvelib(roots, found, self.reader, {})
        return {str(identifier): str(one.version) for identifier, one in found.items()}
