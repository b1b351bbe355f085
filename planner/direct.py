"""Direct references: what the inputs ask for by its address instead of its version.

Source: https://packaging.python.org/specifications/version-specifiers/#direct-references. They take
the place of all that an index has of their projects.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote, urldefrag, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    parse_sdist_filename,
    parse_wheel_filename,
)

from planner.candidates import Project
from planner.errors import InvalidRequirementLine
from planner.pages import ProjectFile, ProjectPage, group_files
from planner.requirements import InputRequirement
from schemas.credentials import Login, origin_of, split_login

__all__ = ["direct_logins", "direct_projects"]


def direct_projects(requirements: Iterable[InputRequirement]) -> dict[NormalizedName, Project]:
    """A project of one file for each that ``requirements`` give the address of.

    Raises InvalidRequirementLine where that is no distribution of it, or another was given before.
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
            file = _to_file(one, url)
            projects[one.name] = Project(ProjectPage(one.name, group_files([file])))
    return projects


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
