"""A group of options reaches its command as one value."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from executor.cli.option_group import SectionedCommand, option_group, section
from schemas.errors import UsageError


def _make(*, left: str, right: bool) -> str:
    if left == "bad":
        raise UsageError("left is bad")
    return f"{left}/{right}"


_group = option_group(
    "sides",
    "The two sides",
    _make,
    click.option("--left", default="none"),
    click.option("--right", is_flag=True),
)


@click.command(cls=SectionedCommand)
@click.argument("word", default="", expose_value=False)
@click.option("--before", default="b")
@_group
@click.option("--after", default="a")
@section("The two sides", click.option("--middle", is_flag=True, expose_value=False))
def _command(before: str, sides: str, after: str) -> None:
    click.echo(f"{before} {sides} {after}")


@pytest.mark.parametrize(
    ("words", "output"),
    [([], "b none/False a\n"), (["--right", "--left", "x", "--after", "y"], "b x/True y\n")],
)
def test_the_command_gets_one_value_for_the_group(words: list[str], output: str) -> None:
    assert CliRunner().invoke(_command, words).output == output


def test_help_lists_the_options_below_their_headings_and_the_others_last() -> None:
    text = CliRunner().invoke(_command, ["--help"]).output
    shown = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert shown == ["--left", "--right", "--middle", "--before", "--after", "--help"]
    headings = [line for line in text.splitlines() if line.endswith(":")]
    assert headings == ["The two sides:", "Other options:"]


def test_a_value_that_cannot_be_made_is_an_error_of_the_program() -> None:
    assert isinstance(CliRunner().invoke(_command, ["--left", "bad"]).exception, UsageError)
