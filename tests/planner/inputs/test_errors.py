"""An error about an input begins with the place that the user has to change."""

from __future__ import annotations

from planner.inputs.errors import (
    InvalidRequirementLine,
    UnreadableInput,
    UnsupportedRequirementLine,
)
from schemas.errors import InvalidInput


def test_an_error_names_the_file_and_line_first() -> None:
    error = UnsupportedRequirementLine("requirements.in:3", "--foo is not supported", hint="drop")
    assert isinstance(error, InvalidRequirementLine | InvalidInput)
    assert str(error) == "requirements.in:3: --foo is not supported"
    assert error.hint == "drop"


def test_a_file_that_cannot_be_read_is_named() -> None:
    assert str(UnreadableInput("a.in", "No such file or directory")).startswith("a.in: ")
