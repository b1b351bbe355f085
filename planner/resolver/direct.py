"""Projects that the inputs require by an address instead of a version.

Source: https://packaging.python.org/specifications/version-specifiers/#direct-references. The file
at the address takes the place of everything that an index has of its project.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, unquote, urldefrag, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    parse_sdist_filename,
)

from planner.index.pages import ProjectFile, ProjectPage, group_files
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement, Inputs
from planner.model.environments import MarkerEnvironment
from planner.resolver.applicable import applicable
from planner.resolver.builder import SourceBuilder
from planner.resolver.releases import Project
from schemas.credentials import Login, origin_of, split_login
from schemas.data_class import with_fields
from schemas.digests import ALGORITHMS
from schemas.errors import NoSolution
from schemas.urls import hidden, redacted, secret_parameters, without_credentials
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["DirectProjects", "TreeUnbuildable", "direct_logins"]


@with_fields
class TreeUnbuildable(NoSolution):
    """The source at an address would have to be built, and may not be."""

    origin: str
    project: str
    reason: str
    ways: str = ""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the name
        return self.ways or f"allow it with --build {self.project}, or name a wheel of it"

    def __str__(self) -> str:
        return f"{self.origin}: {self.project} cannot be used: {self.reason}"


class DirectProjects:
    """The projects of one environment that have an address; owned by its solver.

    An override takes the place of requirements, with or without an address. The address of a
    constraint holds if anything requires the project. A source that is only named by a constraint
    is opened when the project is needed.
    """

    def __init__(
        self, inputs: Inputs, environment: MarkerEnvironment, builder: SourceBuilder | None
    ) -> None:
        """Raise InvalidRequirementLine if two addresses are given for one project, or if the file
        is not there or not of the project, TreeUnbuildable, or what ``builder.open_tree`` raises.
        """
        self._environment = environment
        self._builder = builder
        self._named: dict[NormalizedName, InputRequirement] = {}
        self._opened: dict[NormalizedName, Project] = {}
        overridden = {one.name for one in inputs.overrides}
        required = [
            *(one for one in inputs.requirements if one.name not in overridden),
            *inputs.overrides,
        ]
        for one in self._with_address([*required, *inputs.constraints]):
            known = self._named.setdefault(one.name, one)
            if _address_of(known) != _address_of(one):
                raise InvalidRequirementLine(
                    one.origin,
                    f"it names another address of {one.name} than {known.origin}",
                    hint=f"{known.origin} names {_shown(known)}, {one.origin} names {_shown(one)}; "
                    "keep one of them, or choose one with --override",
                )
        for one in self._with_address(required):
            _refuse_missing(one)
            self.project(one.name)
        for one in self._with_address(inputs.constraints):
            if _is_distribution(_url_of(one)):
                self.project(one.name)

    def __contains__(self, name: object) -> bool:
        return name in self._named

    @property
    def names(self) -> frozenset[NormalizedName]:
        """Return the projects that have an address."""
        return frozenset(self._named)

    @property
    def opened(self) -> dict[NormalizedName, Project]:
        """Return the projects whose files are known already."""
        return dict(self._opened)

    def has_address(self, name: NormalizedName, url: str) -> bool:
        """Return if ``url`` is the address of the project."""
        one = self._named.get(name)
        return one is not None and _address_of(one)[0] == urldefrag(without_credentials(url)).url

    def project(self, name: NormalizedName) -> Project:
        """Return the project of one file at the address of ``name``.

        Raise InvalidRequirementLine, TreeUnbuildable, or what ``builder.open_tree`` raises.
        """
        if name not in self._opened:
            file = self._open(self._named[name])
            self._opened[name] = Project(ProjectPage(name, group_files([file])))
        return self._opened[name]

    def _open(self, one: InputRequirement) -> ProjectFile:
        url = _url_of(one)
        _refuse_secret(one)
        if _is_distribution(url):
            return _to_file(one, url)
        if self._builder is None:
            reason = "it has to be built, and only wheels are used"
            raise TreeUnbuildable(one.origin, one.name, reason, _ways_for(one))
        return self._builder.open_tree(one, self._environment.targets[0])

    def _with_address(self, requirements: Iterable[InputRequirement]) -> Iterator[InputRequirement]:
        return (one for one in applicable(requirements, self._environment) if one.requirement.url)


def _refuse_missing(one: InputRequirement) -> None:
    """Raise InvalidRequirementLine if the address is a path at which nothing is."""
    parts = urlsplit(_url_of(one))
    path = unquote(parts.path)
    if parts.scheme == "file" and not os.path.exists(path):
        raise InvalidRequirementLine(
            one.origin,
            f"there is nothing at {hidden(path)}",
            hint="correct the path; a relative one starts from the working folder, or in a "
            "pyproject.toml from the folder of that",
        )


def _refuse_secret(one: InputRequirement) -> None:
    """Raise InvalidRequirementLine if the address would grant access to readers of the lock."""
    if secret := secret_parameters(urlsplit(_url_of(one)).query):
        raise InvalidRequirementLine(
            one.origin,
            f"the address of {one.name} grants access to whoever reads it ({', '.join(secret)}), "
            "and cannot be written into a lock",
            hint="locks are committed and shared: name an address without it; a login in netrc, or "
            "before the host of the address, is never recorded",
        )


def _ways_for(one: InputRequirement) -> str:
    """Return what to do if the source is the folder of a project, else nothing: it can be planned
    itself, and is not built then.
    """
    parts = urlsplit(_url_of(one))
    path = unquote(parts.path)
    if parts.scheme != "file" or not os.path.isfile(os.path.join(path, "pyproject.toml")):
        return ""
    folder = os.path.relpath(path)
    is_of_project = "pyproject.toml [" in one.origin
    way = f"name {folder} as PROJECT, too" if is_of_project else f"write -e {folder} in its place"
    return f"{way}, or allow it with --build {one.name}"


def _url_of(one: InputRequirement) -> str:
    assert one.requirement.url is not None
    return one.requirement.url


def _address_of(one: InputRequirement) -> tuple[str, str]:
    """Return the address without credentials, and the subdirectory of its fragment."""
    url, fragment = urldefrag(without_credentials(_url_of(one)))
    return url, parse_qs(fragment).get("subdirectory", [""])[0].strip("/")


def _shown(one: InputRequirement) -> str:
    return redacted(_url_of(one))


def _is_distribution(url: str) -> bool:
    """Return if the file at ``url`` has the name of a wheel or a source distribution."""
    address, fragment = urldefrag(url)
    parts = urlsplit(address)
    filename = unquote(parts.path.rpartition("/")[2])
    if filename.endswith(".whl"):
        return True
    if parts.scheme.startswith("git+") or "subdirectory" in parse_qs(fragment):
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
        raise InvalidRequirementLine(
            one.origin,
            f"{filename} is a {kind} of {name}, not of {one.name}",
            hint=f"write {name} before it, or correct the address",
        )
    # Of several hashes any may be the right one, so none of them is a promise.
    hashes = dict(text.split(":", 1) for text in one.hashes) if len(one.hashes) == 1 else {}
    parameters = parse_qs(fragment)
    hashes |= {
        algorithm: parameters[algorithm][0].lower()
        for algorithm in ALGORITHMS
        if algorithm in parameters
    }
    path = unquote(parts.path) if parts.scheme == "file" else None
    return ProjectFile(filename, "", {"url": address, "hashes": hashes}, path=path, is_direct=True)


def direct_logins(inputs: Inputs) -> dict[str, Login]:
    """Return the credentials in the addresses of ``inputs``, by origin; the first of each."""
    found: dict[str, Login] = {}
    for one in (*inputs.requirements, *inputs.overrides, *inputs.constraints):
        if one.requirement.url:
            clean, login = split_login(one.requirement.url)
            if login:
                found.setdefault(origin_of(clean), login)
    return found
