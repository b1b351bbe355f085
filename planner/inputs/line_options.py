"""The options that a line of a requirements file may have, parsed as pip parses them.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/#supported-options.
"""

from __future__ import annotations

import optparse
import re
import shlex
from typing import NoReturn

from planner.inputs.build_settings import BuildSetting
from planner.inputs.errors import InvalidRequirementLine, UnsupportedRequirementLine
from planner.model.project_set import first_invalid_name

__all__ = ["parse_line_options", "parse_requirement_options", "split_options"]


_HASH = re.compile(r"(sha256|sha384|sha512):([0-9a-fA-F]+)")
"""The algorithms that pip accepts."""


_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}


_FIRST_OPTION = re.compile(r"(?<=\s)-")


_ADVICE = {
    "--only-final": "use --prerelease disallow on the command line",
    "--all-releases": "use --pre, or name a pre-release, as in NAME>=1.0rc1",
    "--install-option": "pip has removed it; use --config-settings",
}


class _Parser(optparse.OptionParser):
    """A parser that raises ValueError and never ends the program."""

    def __init__(self) -> None:
        super().__init__(add_help_option=False, usage=optparse.SUPPRESS_USAGE)
        self._repeatable: list[str] = []

    def error(self, msg: str) -> NoReturn:
        raise ValueError(msg)

    def append(self, *names: str) -> None:
        """Add an option that may be given several times, with a value each time."""
        # A list as the default would be shared by all lines.
        self._repeatable.append(self.add_option(*names, action="append").dest or "")

    def parse(self, words: list[str]) -> tuple[optparse.Values, list[str]]:
        """Return the options and the other words; an option that is not given is an empty list."""
        options, others = self.parse_args(words)
        for name in self._repeatable:
            options.ensure_value(name, [])
        return options, others

    def flag(self, *names: str) -> None:
        """Add an option without a value."""
        self.add_option(*names, action="store_true", default=False)


def _line_parser() -> _Parser:
    parser = _Parser()
    parser.append("-r", "--requirement")
    parser.append("-c", "--constraint")
    parser.add_option("-i", "--index-url", "--pypi-url")
    parser.append("--extra-index-url")
    parser.append("-f", "--find-links")
    parser.append("--no-binary")
    parser.append("--only-binary")
    parser.append("--trusted-host")
    parser.append("--all-releases")
    parser.append("--use-feature")
    for name in ("--no-index", "--pre", "--require-hashes", "--no-require-hashes"):
        parser.flag(name)
    # Wheels are always preferred here.
    parser.flag("--prefer-binary")
    parser.append("-e", "--editable")
    parser.append("--only-final")
    return parser


def _requirement_parser() -> _Parser:
    parser = _Parser()
    parser.append("--hash")
    parser.append("-C", "--config-settings", "--config-setting")
    parser.append("--global-option")
    parser.append("--build-option")
    return parser


_LINE = _line_parser()


_REQUIREMENT = _requirement_parser()


def split_options(text: str) -> tuple[str, str]:
    """Split a line into the requirement and its options, which begin at the first hyphen after a
    space.
    """
    found = _FIRST_OPTION.search(text)
    end = found.start() if found else len(text)
    return text[:end].rstrip(), text[end:]


def parse_line_options(text: str, origin: str, *, written: str | None = None) -> optparse.Values:
    """Return the options of a line that has no requirement.

    ``written`` is the line before variables were expanded; errors show nothing else.

    Raise InvalidRequirementLine or UnsupportedRequirementLine.
    """
    options = _parse(_LINE, text, origin, "", written or text)
    if options.only_final:
        raise _unsupported("--only-final", origin, "")
    for name, words in (
        ("--no-binary", options.no_binary),
        ("--only-binary", options.only_binary),
    ):
        if first_invalid_name(words, sets=True) is not None:
            # A variable in the line may be a secret, so its value is not shown.
            raise InvalidRequirementLine(
                origin,
                f"{name} has a word that is not the name of a project",
                hint="name projects, with commas between them, :all: or :none:",
            )
    if any(value != ":all:" for value in options.all_releases):
        raise _unsupported("--all-releases", origin, " of single projects")
    return options


def parse_requirement_options(
    text: str, origin: str, *, written: str | None = None
) -> tuple[frozenset[str], BuildSetting | None]:
    """Return the hashes and the build flags of a requirement.

    ``written`` is the line before variables were expanded; errors show nothing else.

    Raise InvalidRequirementLine or UnsupportedRequirementLine.
    """
    if not text:
        return frozenset(), None
    written = written or text
    options = _parse(_REQUIREMENT, text, origin, " of a requirement", written)
    setting = BuildSetting()
    for word in options.config_settings:
        key, equals, value = word.partition("=")
        if not equals:
            raise InvalidRequirementLine(
                origin, f"--config-settings {_shown(key, written)} is not KEY=VALUE"
            )
        setting = setting.with_setting(key, value)
    for name in ("--global-option", "--build-option"):
        for value in getattr(options, name.strip("-").replace("-", "_")):
            setting = setting.with_setting(name, value)
    hashes = frozenset(_parse_hash(word, origin, written) for word in options.hash)
    return hashes, setting if setting != BuildSetting() else None


def _parse(parser: _Parser, text: str, origin: str, kind: str, written: str) -> optparse.Values:
    try:
        options, others = parser.parse(shlex.split(text))
    except ValueError as error:
        name = str(error).removeprefix("no such option: ").partition("=")[0]
        if str(error).startswith("no such option: "):
            raise _unsupported(_shown(name, written), origin, kind) from None
        raise InvalidRequirementLine(origin, str(error)) from None
    if others:
        # It may be a value that came from the environment, so it is not shown.
        raise InvalidRequirementLine(
            origin,
            "it has a word that is not an option",
            hint="write a requirement on its own line",
        )
    return options


def _unsupported(name: str, origin: str, kind: str) -> UnsupportedRequirementLine:
    if not kind and _REQUIREMENT.has_option(name):
        return UnsupportedRequirementLine(
            origin,
            f"{name} stands on a line without a requirement",
            hint="write it behind its requirement, or end each line before it with a backslash; a "
            "comment ends the requirement",
        )
    advice = _ADVICE.get(name, "")
    if kind and not advice and _LINE.has_option(name):
        advice = "write it on a line of its own"
    failure = UnsupportedRequirementLine(origin, f"{name}{kind} is not supported")
    failure.hint = advice or failure.hint
    return failure


def _shown(word: str, written: str) -> str:
    """Return ``word`` if the user wrote it. The environment may have added a secret."""
    return word if word in written else "..."


def _parse_hash(word: str, origin: str, written: str) -> str:
    found = _HASH.fullmatch(word)
    shown = _shown(word, written)
    if not found:
        raise InvalidRequirementLine(
            origin,
            f"--hash={shown} is not sha256, sha384 or sha512 with hexadecimal digits",
            hint="leave it out: lockstream plan locks the sha256 of each file",
        )
    algorithm, digest = found[1], found[2].lower()
    if len(digest) != _DIGITS[algorithm]:
        raise InvalidRequirementLine(
            origin,
            f"--hash={shown} has {len(digest)} digits, and {algorithm} has {_DIGITS[algorithm]}",
            hint="copy the whole hash, or leave it out",
        )
    return f"{algorithm}:{digest}"
