"""The reader of requirements files, which keeps the file and line of each requirement.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/. The libraries for
this format are either no longer maintained (pip-requirements-parser, last released in 2022) or
know neither constraints nor environment variables (requirements-parser). So it is read here,
strictly: what planning does not support is refused with its file and line.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from planner.inputs.errors import (
    InvalidRequirementLine,
    UnreadableInput,
    UnsupportedRequirementLine,
)
from planner.inputs.inputs import InputRequirement, Inputs

__all__ = ["parse_requirement", "read_requirements"]


Kind = Literal["requirement", "constraint", "override"]


_COMMENT = re.compile(r"(?:^|\s+)#.*$")


_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")


_FIRST_OPTION = re.compile(r"\s+(?=-)")


_HASH = re.compile(r"(sha256|sha384|sha512):([0-9a-fA-F]+)")


_REFERENCE = re.compile(
    r"(?P<place>[^\s;@\[]+\.whl(?:#\S+)?|[a-z]+://\S+\.whl(?:[?#][^\s\[]*)?)"
    r"(?P<extras>\[[^\]]*\])?(?:\s*;\s*(?P<marker>.+))?"
)


_FILE_OR_URL = re.compile(r"^[./~]|://|\.(?:whl|tar\.gz|zip)\b")


_FETCHED = {
    *("https", "http", "file"),
    *("git+https", "git+http", "git+ssh", "git+git", "git+file"),
}
"""The schemes of addresses that may take the place of a version."""


MAX_DEPTH = 32
"""Levels of files that include each other; only a cycle is deeper."""


def read_requirements(
    paths: Iterable[str],
    constraints: Iterable[str] = (),
    overrides: Iterable[str] = (),
    *,
    environment: Mapping[str, str],
) -> Inputs:
    """Read requirements, constraints and overrides files, with all files that they include.

    ``environment`` gives the values of ``${NAME}``.

    Raise UnreadableInput, InvalidRequirementLine or UnsupportedRequirementLine.
    """
    draft = _FileContent()
    kinds: tuple[tuple[Kind, Iterable[str]], ...] = (
        ("requirement", paths),
        ("constraint", constraints),
        ("override", overrides),
    )
    for kind, files in kinds:
        for path in files:
            _Reader(draft, environment, kind).read(path)
    return draft.to_inputs()


class _OptionParser(argparse.ArgumentParser):
    """A parser of the options of a line, which raises ValueError and never ends the program."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _line_options() -> _OptionParser:
    parser = _OptionParser(add_help=False, allow_abbrev=False, usage=argparse.SUPPRESS)
    parser.add_argument("-r", "--requirement")
    parser.add_argument("-c", "--constraint")
    parser.add_argument("-i", "--index-url", "--pypi-url")
    parser.add_argument("--extra-index-url", action="append", default=[])
    parser.add_argument("--no-index", action="store_true")
    parser.add_argument("-f", "--find-links", action="append", default=[])
    parser.add_argument("--no-binary", action="append", default=[])
    parser.add_argument("--pre", action="store_true")
    parser.add_argument("--require-hashes", action="store_true")
    # Only wheels are used, so this is the case already.
    parser.add_argument("--prefer-binary", action="store_true")
    parser.add_argument("--only-binary", action="append", default=[])
    return parser


def _requirement_options() -> _OptionParser:
    parser = _OptionParser(add_help=False, allow_abbrev=False, usage=argparse.SUPPRESS)
    parser.add_argument("--hash", action="append", default=[])
    return parser


_ADVICE = {
    "-e": "name the folder of the project as PROJECT; what it depends on is planned",
    "--editable": "name the folder of the project as PROJECT; what it depends on is planned",
    "--trusted-host": "name the index with http:// if it has no certificate",
}


_LINE_OPTIONS = _line_options()


_REQUIREMENT_OPTIONS = _requirement_options()


@dataclass(slots=True)
class _FileContent:
    """What has been read so far, owned by one call of ``read_requirements``."""

    requirements: dict[Kind, list[InputRequirement]] = field(
        default_factory=lambda: {"requirement": [], "constraint": [], "override": []}
    )
    index_url: str | None = None
    extra_index_urls: list[str] = field(default_factory=list)
    no_index: bool = False
    find_links: list[str] = field(default_factory=list)
    no_binary: list[str] = field(default_factory=list)
    only_binary: list[str] = field(default_factory=list)
    prereleases: bool = False
    require_hashes: bool = False

    def to_inputs(self) -> Inputs:
        """Return all of it as a value."""
        return Inputs(
            requirements=tuple(self.requirements["requirement"]),
            constraints=tuple(self.requirements["constraint"]),
            overrides=tuple(self.requirements["override"]),
            index_url=self.index_url,
            extra_index_urls=tuple(self.extra_index_urls),
            no_index=self.no_index,
            find_links=tuple(self.find_links),
            no_binary=tuple(self.no_binary),
            only_binary=tuple(self.only_binary),
            prereleases=self.prereleases,
            require_hashes=self.require_hashes,
        )


class _Reader:
    """Reads files into a draft, all as requirements of one kind."""

    def __init__(
        self,
        draft: _FileContent,
        environment: Mapping[str, str],
        kind: Kind,
        depth: int = 0,
    ) -> None:
        self._draft = draft
        self._environment = environment
        self._kind: Kind = kind
        self._depth = depth

    def read(self, path: str) -> None:
        for number, line in _logical_lines(self._read_text(path)):
            origin = f"{path}:{number}"
            text = self._expand(line, origin)
            if text.startswith("-"):
                self._read_options(text, path, origin)
            else:
                self._read_requirement(text, line, origin)

    def _read_text(self, path: str) -> str:
        try:
            if path == "-":
                return sys.stdin.read()
            with open(path, "rb") as file:
                return file.read().decode("utf-8-sig")
        except OSError as error:
            raise UnreadableInput(path, error.strerror or str(error)) from None
        except UnicodeDecodeError as error:
            raise UnreadableInput(path, f"byte {error.start} is not UTF-8 text") from None

    def _expand(self, line: str, origin: str) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] not in self._environment:
                raise InvalidRequirementLine(
                    origin,
                    f"the environment variable {found[1]} is not set",
                    hint="set it, or write the value into the file if it is no secret",
                )
            return self._environment[found[1]]

        return _VARIABLE.sub(value, line)

    def _read_options(self, text: str, path: str, origin: str) -> None:
        try:
            options, others = _LINE_OPTIONS.parse_known_args(shlex.split(text))
        except ValueError as error:
            raise InvalidRequirementLine(origin, str(error)) from None
        if others:
            # Only the name: its value may hold a secret that came from the environment.
            name = others[0].partition("=")[0]
            raise UnsupportedRequirementLine(
                origin, f"{name} is not supported", hint=_ADVICE.get(name, "")
            )
        draft = self._draft
        draft.index_url = options.index_url or draft.index_url
        draft.extra_index_urls += options.extra_index_url
        draft.no_index |= options.no_index
        draft.find_links += (_resolve_path(path, place) for place in options.find_links)
        draft.no_binary += options.no_binary
        draft.only_binary += options.only_binary
        draft.prereleases |= options.pre
        draft.require_hashes |= options.require_hashes
        if options.requirement:
            self._include(options.requirement, path, origin, self._kind)
        if options.constraint:
            self._include(options.constraint, path, origin, "constraint")

    def _include(self, included: str, path: str, origin: str, kind: Kind) -> None:
        if "://" in included:
            raise UnsupportedRequirementLine(
                origin, "a file at a URL is not supported", hint="download it and name the copy"
            )
        if self._depth == MAX_DEPTH:
            raise InvalidRequirementLine(
                origin, f"more than {MAX_DEPTH} files include each other; is there a cycle?"
            )
        reader = _Reader(self._draft, self._environment, kind, self._depth + 1)
        reader.read(_resolve_path(path, included))

    def _read_requirement(self, text: str, line: str, origin: str) -> None:
        text, *options = _FIRST_OPTION.split(text, maxsplit=1)
        try:
            requirement = parse_requirement(text, origin, written=line)
            words = shlex.split(options[0]) if options else []
            parsed, others = _REQUIREMENT_OPTIONS.parse_known_args(words)
        except ValueError as error:
            raise InvalidRequirementLine(origin, f"{line!r}: {error}") from None
        if others:
            name = others[0].partition("=")[0]
            raise UnsupportedRequirementLine(origin, f"{name} of a requirement is not supported")
        if self._kind == "constraint" and requirement.extras:
            raise InvalidRequirementLine(origin, f"a constraint cannot require extras: {line!r}")
        hashes = frozenset(_parse_hash(text, origin) for text in parsed.hash)
        found = InputRequirement(requirement=requirement, origin=origin, hashes=hashes)
        self._draft.requirements[self._kind].append(found)


def parse_requirement(text: str, origin: str, *, written: str | None = None) -> Requirement:
    """Return the requirement of a dependency specifier, or of the URL or path of a wheel alone.

    ``written`` is the text at ``origin`` before variables were expanded: errors show nothing that
    came from the environment.

    Raise InvalidRequirementLine or, for the address of anything else, UnsupportedRequirementLine.
    """
    reference = _REFERENCE.fullmatch(text)
    try:
        requirement = Requirement(_complete(reference) if reference else text)
    except InvalidRequirement as error:
        if _FILE_OR_URL.search(text):
            raise _unsupported_reference(origin) from None
        problem = str(error).partition("\n")[0]
        raise InvalidRequirementLine(
            origin, f"{written or text!r} is not a requirement: {problem}"
        ) from None
    if requirement.url and urlsplit(requirement.url).scheme not in _FETCHED:
        raise _unsupported_reference(origin)
    return requirement


def _complete(reference: re.Match[str]) -> str:
    """Return ``NAME[EXTRAS] @ URL ; MARKER`` for a line that gives the address of a wheel only, as
    pip allows: a URL, or a path from the working folder.
    """
    place = reference["place"]
    if "://" not in place:
        place = Path(os.path.abspath(place)).as_uri()
    name = unquote(urlsplit(place).path.rpartition("/")[2]).partition("-")[0]
    marker = f" ; {reference['marker']}" if reference["marker"] else ""
    return f"{name}{reference['extras'] or ''} @ {place}{marker}"


def _resolve_path(path: str, other: str) -> str:
    """Return the path of ``other``, which the file at ``path`` names; a URL stays a URL."""
    return other if "://" in other else os.path.normpath(os.path.join(os.path.dirname(path), other))


def _unsupported_reference(origin: str) -> UnsupportedRequirementLine:
    return UnsupportedRequirementLine(
        origin,
        "an address in place of a version has to be that of a wheel, an archive, a folder or a git "
        "repository",
        hint="write NAME @ URL, with https:, file: or git+https:; a wheel may stand alone",
    )


def _parse_hash(text: str, origin: str) -> str:
    if not (found := _HASH.fullmatch(text)):
        raise InvalidRequirementLine(
            origin, f"--hash={text} is not sha256, sha384 or sha512 with hexadecimal digits"
        )
    return f"{found[1]}:{found[2].lower()}"


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, comments dropped and continued lines joined under the number
    of the first.
    """
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        # A comment ends a continuation, whatever it ends with.
        if line.endswith("\\") and not _COMMENT.match(line):
            parts.append(line.removesuffix("\\"))
            continue
        joined = _COMMENT.sub("", "".join([*parts, line])).strip()
        parts.clear()
        if joined:
            yield start, joined
    if joined := _COMMENT.sub("", "".join(parts)).strip():
        yield start, joined
