from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import click
import pytest

from executor.cli.command_line import long_name
from helpers.option_table import leaf_commands, option_names, variable_table
from lockstream import COMMANDS
from schemas.variables import OPTIONS, OTHERS, SEVERAL_MEANINGS, nearest, unknown, variables_of

PAGE = Path(__file__).parents[2] / "docs" / "variables.md"
UPDATE = "run: .venv/bin/python -m helpers.option_table"


def test_the_options_are_those_of_the_commands() -> None:
    assert set(option_names()) - {"--mirror"} == OPTIONS, UPDATE


def test_the_page_has_the_table_of_all_options() -> None:
    assert variable_table() in PAGE.read_text(), UPDATE


@pytest.mark.parametrize("name", OTHERS)
def test_the_page_names_each_other_variable(name: str) -> None:
    assert f"`{name}`" in PAGE.read_text()


def test_an_option_has_a_variable_of_its_own_and_one_for_one_command() -> None:
    names = variables_of("--cache-dir", "cache info")
    assert names == ["LOCKSTREAM_CACHE_INFO_CACHE_DIR", "LOCKSTREAM_CACHE_DIR"]


def test_an_option_that_means_two_things_has_none_for_all_commands() -> None:
    assert variables_of("--build", "plan") == ["LOCKSTREAM_PLAN_BUILD"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LOCKSTREAM_MEMROY", "LOCKSTREAM_MEMORY"),
        ("LOCKSTREAM_MIRROR", "LOCKSTREAM_MIRRORS"),
        ("LOCKSTREAM_BUILD", "LOCKSTREAM_<COMMAND>_BUILD"),
        ("LOCKSTREAM_OUTPUT", "LOCKSTREAM_<COMMAND>_OUTPUT"),
        ("LOCKSTREAM_VENF", "LOCKSTREAM_VENV"),
        ("LOCKSTREAM_FOO", None),
        ("LOCKSTREAM_", None),
        ("LOCKSTREAM_EXECUTE_COLOUR", None),
        ("LOCKSTREAM_INDEX_OURS_USER", "LOCKSTREAM_INDEX_<NAME>_USERNAME"),
        ("LOCKSTREAM_INDEX_STRATGY", "LOCKSTREAM_INDEX_STRATEGY"),
    ],
)
def test_an_unknown_name_is_found_with_what_it_may_mean(name: str, meant: str | None) -> None:
    assert list(unknown([name], COMMANDS)) == [name]
    assert nearest(name) == meant


@pytest.mark.parametrize(
    "name",
    [
        "LOCKSTREAM_VENV", "LOCKSTREAM_EXECUTE_VENV", "LOCKSTREAM_EXECUTE_BUILD",
        "LOCKSTREAM_MIRRORS", "LOCKSTREAM_INDEX", "LOCKSTREAM_INDEX_OUR_OWN_USERNAME",
        "LOCKSTREAM_CACHE_DIR", "LOCKSTREAMLINE", "HOME",
    ],
)  # fmt: skip
def test_a_known_name_is_not_found(name: str) -> None:
    assert list(unknown([name], COMMANDS)) == []


def test_no_variable_stands_for_two_options() -> None:
    meant = defaultdict(set)
    for option, commands in option_names().items():
        for name in {one for command in commands for one in variables_of(option, command)}:
            meant[name].add(option)
    assert {name: options for name, options in meant.items() if len(options) > 1} == {}


def test_a_variable_takes_the_same_values_for_all_commands() -> None:
    kinds = defaultdict(set)
    for _, command in leaf_commands():
        for option in command.params:
            if isinstance(option, click.Option):
                choices = tuple(getattr(option.type, "choices", ()))
                kinds[long_name(option)].add((option.is_flag, choices))
    several = {name for name, found in kinds.items() if len(found) > 1}
    # --output takes a file everywhere, and each command needs one of its own.
    assert several | {"--output"} == SEVERAL_MEANINGS
