"""The group of commands: what it loads, and when."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

import lockstream
from executor.cli.program import Program
from schemas.errors import UsageError


def program_of(**entries: tuple[str, str, str]) -> Program:
    group = Program("probe")
    group.entries = entries
    return group


def test_a_command_is_loaded_when_it_is_asked_for() -> None:
    group = program_of(key=("executor.cli.key", "key", "Print a key."))
    command = group.get_command(click.Context(group), "key")
    assert command is not None
    assert command.name == "key"
    assert group.get_command(click.Context(group), "lock") is None


def test_a_command_that_this_form_leaves_out_is_not_listed_and_says_where_it_is() -> None:
    group = program_of(
        key=("executor.cli.key", "key", "Print a key."),
        shop=("executor.cli.shop", "shop", "Buy a key."),
    )
    shown = group.get_help(click.Context(group))
    assert "Print a key." in shown
    assert "Buy a key." not in shown
    assert "To plan: pipx install lockstream" in shown
    with pytest.raises(UsageError, match="does not have the command shop"):
        group.get_command(click.Context(group), "shop")


def test_help_tells_what_a_command_does_where_python_drops_docstrings() -> None:
    for words, told in (["execute"], "Install a lock"), ([], "Install Python packages in two"):
        run = subprocess.run(
            [sys.executable, "-OO", "-m", "lockstream", *words, "--help"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert told in run.stdout.partition("ptions:")[0].partition("nvironment:")[0]


def test_help_has_the_commands_of_each_phase_below_a_heading() -> None:
    group = lockstream.program()
    shown = group.get_help(click.Context(group))
    plan, _, execute = shown.partition("Execute, and look at environments:")
    assert plan.index("Plan, and look at locks:") < plan.index("  check ")
    assert "  verify " in execute
    assert all(f"\n  {name} " in shown for name in lockstream.COMMANDS)
