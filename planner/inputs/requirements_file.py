"""The reader of requirements files, which keeps the file and line of each requirement.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/. The libraries for
this format are either no longer maintained (pip-requirements-parser, last released in 2022) or
know neither constraints nor environment variables (requirements-parser). So it is read here,
strictly: what planning does not support is refused with its file and line. docs/plan.md lists each
construct.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from packaging.utils import canonicalize_name

from executor import read_regular
from planner.inputs.build_settings import BuildSetting
from planner.inputs.editable_line import parse_editable
from planner.inputs.errors import (
    InvalidRequirementLine,
    UnreadableInput,
)
from planner.inputs.file_places import (
    is_remote,
    is_url,
    local_path,
    resolve_links,
    resolve_path,
)
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.line_options import (
    parse_line_options,
    parse_requirement_options,
    split_options,
)
from planner.inputs.project_document import (
    refuse_conflict,
    refuse_project,
)
from planner.inputs.remote_file import FetchFile, refuse_remote
from planner.inputs.requirement_line import parse_requirement, quoted
from planner.inputs.requirements_text import decode, logical_lines
from planner.inputs.settings import Settings
from schemas.data_class import frozen
from schemas.urls import redacted

__all__ = ["read_requirements"]


Kind = Literal["requirement", "constraint", "override"]


_OPTIONS: dict[Kind, str] = {"requirement": "-r", "constraint": "-c", "override": "--override"}


_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


MAX_SIZE = 64 << 20
"""Bytes of one file; 10,000 requirements with all their hashes take about 20 MB."""


MAX_DEPTH = 32
"""Levels of files that include each other."""


MAX_FILES = 1000
"""Files that are read together; a server could name ever new ones."""


def read_requirements(
    paths: Iterable[str],
    constraints: Iterable[str] = (),
    overrides: Iterable[str] = (),
    *,
    environment: Mapping[str, str],
    fetch: FetchFile = refuse_remote,
    read_editables: Callable[[Sequence[tuple[InputRequirement, str]]], Inputs] | None = None,
) -> Inputs:
    """Read requirements, constraints and overrides files, with all files that they include.

    ``environment`` gives the values of ``${NAME}``, ``fetch`` the content of files at URLs,
    ``read_editables`` what the projects require that are named with ``-e FOLDER``.

    Raise UnreadableInput, InvalidRequirementLine or UnsupportedRequirementLine.
    """
    content = _FileContent()
    kinds: tuple[tuple[Kind, Iterable[str]], ...] = (
        ("requirement", paths),
        ("constraint", constraints),
        ("override", overrides),
    )
    for kind, files in kinds:
        for path in files:
            try:
                _Reader(content, environment, fetch, kind, (path,)).read(path)
            except UnreadableInput as error:
                option = f"lockstream plan {_OPTIONS[kind]} FILE"
                error.hint = error.hint or (
                    f"name a file in it, or plan its project: lockstream plan {path}"
                    if os.path.isdir(path)
                    else f"bring it back, or name another one: {option}"
                )
                raise
    inputs = content.to_inputs()
    if content.editables and read_editables is not None:
        projects = read_editables(content.editables)
        _refuse_extras(inputs.requirements, projects.members)
        inputs = inputs.merge(projects)
    return inputs


def _refuse_extras(lines: Iterable[InputRequirement], members: Collection[str]) -> None:
    """Raise InvalidRequirementLine if a line names extras of a project that ``-e`` names: it is met
    by that project, and the extras would not count.
    """
    for one in lines:
        if one.name in members and one.requirement.extras:
            raise InvalidRequirementLine(
                one.origin,
                f"{one.name} is also named with -e, and its extras are not named there",
                hint="write them there, as in -e FOLDER[EXTRAS], and leave this line out",
            )


@dataclass(slots=True)
class _FileContent:
    """What has been read so far, owned by one call of ``read_requirements``."""

    requirements: dict[Kind, list[InputRequirement]] = field(
        default_factory=lambda: {"requirement": [], "constraint": [], "override": []}
    )
    options: Inputs = field(default_factory=Inputs)
    """The options of all lines together."""
    editables: list[tuple[InputRequirement, str]] = field(default_factory=list)
    """The projects of ``-e FOLDER``, each with its folder."""
    build: dict[str, BuildSetting] = field(default_factory=dict)
    """Build flags by project."""
    included: set[tuple[Kind, str]] = field(default_factory=set)
    """The files that others include: once is enough, and files that include each other twice would
    be read without end."""

    def to_inputs(self) -> Inputs:
        """Return all of it as a value."""
        return replace(
            self.options,
            requirements=tuple(self.requirements["requirement"]),
            constraints=tuple(self.requirements["constraint"]),
            overrides=tuple(self.requirements["override"]),
            settings=Settings(build=self.build),
        )


@frozen
class _Reader:
    """Reads files into one content, all as requirements of one kind."""

    content: _FileContent
    environment: Mapping[str, str]
    fetch: FetchFile
    kind: Kind
    chain: tuple[str, ...]
    """The file that is read, after those that include it."""

    def read(self, path: str) -> None:
        """Read the file at ``path``, or at a URL."""
        shown = redacted(path) if is_url(path) else path
        for number, line in logical_lines(self._read_text(path)):
            origin = f"{shown}:{number}"
            text = self._expand(line, origin, is_remote=is_remote(path))
            if text.startswith("-"):
                self._read_options(text, line, path, origin)
            else:
                self._read_requirement(text, line, origin)

    def _read_text(self, path: str) -> str:
        shown = redacted(path) if is_url(path) else path
        try:
            content = self._read_bytes(path)
        except OSError as error:
            raise UnreadableInput(shown, error.strerror or str(error)) from None
        except ValueError as error:
            raise UnreadableInput(shown, str(error)) from None
        try:
            text = decode(content)
        except ValueError as error:
            raise UnreadableInput(
                shown, str(error), hint="save it as UTF-8, or name its encoding in a comment"
            ) from None
        refuse_project(shown, text)
        refuse_conflict(shown, text)
        return text

    def _read_bytes(self, path: str) -> bytes:
        if path == "-":
            stream = getattr(sys.stdin, "buffer", None)
            return stream.read() if stream else sys.stdin.read().encode()
        if is_remote(path):
            return self.fetch(path)
        return read_regular(local_path(path), MAX_SIZE, follow=True)

    def _expand(self, line: str, origin: str, *, is_remote: bool) -> str:
        def value(found: re.Match[str]) -> str:
            if is_remote:
                raise InvalidRequirementLine(
                    origin,
                    f"a file at a URL may not read the environment variable {found[1]}",
                    hint="download it and name the copy",
                )
            if found[1] not in self.environment:
                raise InvalidRequirementLine(
                    origin,
                    f"the environment variable {found[1]} is not set",
                    hint="set it, or write the value into the file if it is not secret",
                )
            return self.environment[found[1]]

        return _VARIABLE.sub(value, line)

    def _read_options(self, text: str, line: str, path: str, origin: str) -> None:
        options = parse_line_options(text, origin, written=line)
        remarks = [_remark_trusted(host, origin) for host in options.trusted_host]
        if options.use_feature:
            remarks.append(f"{origin}: --use-feature is for pip and has no effect")
        self.content.options = self.content.options.merge(
            Inputs(
                index_url=options.index_url,
                extra_index_urls=tuple(options.extra_index_url),
                no_index=options.no_index,
                find_links=tuple(resolve_links(path, one) for one in options.find_links),
                no_binary=tuple(options.no_binary),
                only_binary=tuple(options.only_binary),
                prereleases=options.pre or bool(options.all_releases),
                require_hashes=options.require_hashes,
                trusted_hosts=tuple(options.trusted_host),
                remarks=tuple(remarks),
            )
        )
        # As with pip, a file that a constraints file includes by -r holds requirements.
        kind: Kind = "override" if self.kind == "override" else "requirement"
        for included in options.requirement:
            self._include(included, path, origin, kind)
        for included in options.constraint:
            self._include(included, path, origin, "constraint")
        is_allowed = self.kind == "requirement"
        for value in options.editable:
            requirement, folder = parse_editable(
                value, origin, written=line, file=path, is_allowed=is_allowed
            )
            one = InputRequirement(requirement=requirement, origin=origin)
            self.content.editables.append((one, folder))

    def _include(self, included: str, path: str, origin: str, kind: Kind) -> None:
        try:
            place = resolve_path(path, included)
        except ValueError as error:
            raise InvalidRequirementLine(origin, f"it names a malformed URL: {error}") from None
        if place in self.chain:
            raise InvalidRequirementLine(
                origin,
                "it includes a file that includes this one"
                if len(self.chain) > 1 and place != path
                else "the file includes itself",
                hint="leave the line out",
            )
        seen = self.content.included
        if (kind, place) in seen:
            return
        seen.add((kind, place))
        if len(self.chain) == MAX_DEPTH or len(seen) > MAX_FILES:
            raise InvalidRequirementLine(
                origin,
                f"files include each other more than {MAX_DEPTH} levels deep"
                if len(self.chain) == MAX_DEPTH
                else f"more than {MAX_FILES} files are included",
            )
        try:
            replace(self, kind=kind, chain=(*self.chain, place)).read(place)
        except UnreadableInput as error:
            error.hint = error.hint or f"{origin} includes it: correct the path, or leave it out"
            raise

    def _read_requirement(self, text: str, line: str, origin: str) -> None:
        text, options = split_options(text)
        hashes, setting = parse_requirement_options(options, origin, written=line)
        if not is_url(text):  # else the semicolon is a part of the address
            text = text.removesuffix(";")  # pip takes an empty marker, which other tools write
        requirement = parse_requirement(text, origin, written=line)
        if self.kind == "constraint" and requirement.extras:
            raise InvalidRequirementLine(
                origin,
                f"a constraint cannot require extras: {quoted(line)}",
                hint="leave out the brackets; extras are required in a requirements file",
            )
        if setting:
            self.content.build[canonicalize_name(requirement.name)] = setting
        found = InputRequirement(requirement=requirement, origin=origin, hashes=hashes)
        self.content.requirements[self.kind].append(found)


def _remark_trusted(host: str, origin: str) -> str:
    if not _HOST.fullmatch(host):
        raise InvalidRequirementLine(
            origin, "--trusted-host is not a host", hint="write HOST or HOST:PORT"
        )
    return f"{origin}: the certificate of {host} is not verified; an execution verifies it"
