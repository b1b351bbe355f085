"""Errors of wheels name the file, what was expected and what was found."""

from __future__ import annotations

from planner.metadata.errors import UnreadableWheel, WheelDiffers
from schemas.errors import ExitCode


def test_a_wheel_that_cannot_be_read_is_named() -> None:
    error = UnreadableWheel("demo-1.0-py3-none-any.whl", "it is damaged")
    assert str(error) == "demo-1.0-py3-none-any.whl: it is damaged"
    assert error.exit_code is ExitCode.ARTIFACT_REFUSED
    assert error.hint == "replace the file in its place, or choose another version"


def test_a_wheel_that_is_another_says_in_what() -> None:
    error = WheelDiffers("demo-1.0-py3-none-any.whl", "size", "5 bytes", "6 bytes")
    assert str(error) == (
        "demo-1.0-py3-none-any.whl: its size is not the one that the index states\n"
        "  expected 5 bytes\n"
        "  found    6 bytes"
    )
    assert error.exit_code is ExitCode.ARTIFACT_REFUSED
    assert error.hint
