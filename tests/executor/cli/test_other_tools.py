"""What other tools call things is answered with words that are ours."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import lockstream
from executor.cli.command_line import options_of
from executor.cli.other_tools import COMMANDS, OPTIONS, VALUES, WORDS

_PROGRAM = lockstream.program()
_CONTEXT = _PROGRAM.make_context("lockstream", ["execute"])
_NAMES = frozenset(_PROGRAM.list_commands(_CONTEXT))


def _options(name: str) -> set[str]:
    command = _PROGRAM.get_command(_CONTEXT, name)
    assert command is not None
    found = {"--help"}
    for option in options_of(command):
        found |= {*option.opts, *option.secondary_opts}
    return found


def _hints() -> Iterator[tuple[str, str]]:
    """Yield the command that each hint is given to, and the hint."""
    for word, hint in COMMANDS.items():
        yield word, hint
    for name, options in OPTIONS.items():
        for hint in options.values():
            yield name, hint
    for hint in VALUES.values():
        yield "init", hint


@pytest.mark.parametrize("name", sorted(OPTIONS.keys() - {""}))
def test_no_option_of_ours_is_answered_as_one_of_another_tool(name: str) -> None:
    assert not _options(name) & OPTIONS[name].keys()


def test_what_is_said_to_every_command_is_an_option_of_none() -> None:
    for name in _NAMES:
        assert not _options(name) & OPTIONS[""].keys() - {"--directory"}, name


def test_no_command_of_ours_is_answered_as_one_of_another_tool() -> None:
    assert not _NAMES & (COMMANDS.keys() | WORDS)


@pytest.mark.parametrize(("name", "hint"), sorted(set(_hints())))
def test_each_hint_names_commands_and_options_that_there_are(name: str, hint: str) -> None:
    named = re.findall(r"lockstream ([a-z]+)\b", hint)
    known = {"--help", "--version"}
    for command in {*named, name} & _NAMES:
        known |= _options(command)
    for command in re.findall(r"(?<!upgrade )lockstream ([a-z]+)\b", hint):
        assert command in _NAMES
    for option in re.findall(r"(?<![\w-])--[a-z-]+", hint):
        assert option in known
