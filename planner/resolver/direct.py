"""Direct references: what the inputs ask for by its address instead of its version.

Source: https://packaging.python.org/specifications/version-specifiers/#direct-references. They take
the place of all that an index has of their projects.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urldefrag, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    parse_sdist_filename,
    parse_wheel_filename,
)

from planner.index.pages import ProjectFile, ProjectPage, group_files
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement
from planner.resolver.builder import SourceBuilder
from planner.resolver.candidates import Project
from schemas.credentials import Login, origin_of, split_login
from schemas.errors import NoSolution
from schemas.target import Target

__all__ = ["TreeUnbuildable", "direct_logins", "direct_projects"]


@dataclass(eq=False)
class TreeUnbuildable(NoSolution):
    """What a requirement gives the address of would have to be built, and may not be."""

    origin: str
    project: str
    reason: str
    hint: str = "allow it with --build NAME, or name a wheel of it"

    def __str__(self) -> str:
        return f"{self.origin}: {self.project} cannot be used: {self.reason}"


def direct_projects(
    requirements: Iterable[InputRequirement], target: Target, builder: SourceBuilder | None
) -> dict[NormalizedName, Project]:
    """A project of one file for each that ``requirements`` give the address of. What is no
    distribution is opened for ``target``, if it may be.

    Raises InvalidRequirementLine where that is nothing of it, or another was given before,
    TreeUnbuildable, and what ``builder.open_tree`` raises.
    """
    found: dict[NormalizedName, tuple[str, str]] = {}
    projects: dict[NormalizedName, Project] = {}
    for one in requirements:
        url = one.requirement.url
        if url is None:
            continue
        address = urldefrag(url).url
        known, origin = found.setdefault(one.name, (address, one.origin))
        if known != address:
            raise InvalidRequirementLine(
                one.origin, f"it asks for another file of {one.name} than {origin}"
            )
        if one.name not in projects:
            if _is_distribution(url):
                file = _to_file(one, url)
            elif builder is not None:
                file = builder.open_tree(one, target)
            else:
                raise TreeUnbuildable(
                    one.origin, one.name, "it has to be built, and only wheels are used"
                )
            projects[one.name] = Project(ProjectPage(one.name, group_files([file])))
    return projects


def _is_distribution(url: str) -> bool:
    """Whether what is at ``url`` is called as a wheel or a source distribution is."""
    address, fragment = urldefrag(url)
    parts = urlsplit(address)
    filename = unquote(parts.path.rpartition("/")[2])
    if filename.endswith(".whl"):
        return True
    if parts.scheme.startswith("git+") or "subdirectory=" in fragment:
        return False
    try:
        parse_sdist_filename(filename)
    except InvalidSdistFilename:
        return False
    return not (parts.scheme == "file" and os.path.isdir(unquote(parts.path)))


def _to_file(one: InputRequirement, url: str) -> ProjectFile:
    address, fragment = urldefrag(url)
    parts = urlsplit(address)
    filename = unquote(parts.path.rpartition("/")[2])
    kind = "wheel" if filename.endswith(".whl") else "source distribution"
    try:
        name, *_ = (
            parse_wheel_filename(filename) if kind == "wheel" else parse_sdist_filename(filename)
        )
    except (InvalidWheelFilename, InvalidSdistFilename):
        raise InvalidRequirementLine(
            one.origin, f"{filename!r} is not named as a {kind} is"
        ) from None
    if name != one.name:
        raise InvalidRequirementLine(one.origin, f"{filename} is a {kind} of {name}")
    hashes = dict(told.split(":", 1) for told in sorted(one.hashes))
    algorithm, equals, digest = fragment.partition("&")[0].partition("=")
    if equals and algorithm in {"sha256", "sha384", "sha512"}:
        hashes[algorithm] = digest.lower()
    path = unquote(parts.path) if parts.scheme == "file" else None
    return ProjectFile(filename, "", {"url": address, "hashes": hashes}, path=path, is_direct=True)


def direct_logins(requirements: Iterable[InputRequirement]) -> dict[str, Login]:
    """What stands in the addresses, by origin."""
    found: dict[str, Login] = {}
    for one in requirements:
        if one.requirement.url:
            clean, login = split_login(one.requirement.url)
            if login:
                found.setdefault(origin_of(clean), login)
    return found
