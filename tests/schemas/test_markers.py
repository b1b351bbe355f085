"""A marker holds, does not hold, or is an invalid input that is named."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.markers import Marker

from schemas.errors import ExitCode
from schemas.markers import MarkerUnusable, for_some_choice, holds

VARIABLES: dict[str, Any] = {
    "sys_platform": "linux",
    "python_full_version": "3.12.1",
    "extras": frozenset({"cpu"}),
    "dependency_groups": frozenset(),
}


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        (None, True),
        ("sys_platform == 'linux'", True),
        ("sys_platform == 'win32'", False),
        ("'cpu' in extras", True),
        ("'dev' in dependency_groups", False),
    ],
)
def test_a_marker_holds_or_not(marker: str | None, expected: bool) -> None:
    found = Marker(marker) if marker else None
    assert holds(found, VARIABLES, subject="demo") is expected


@pytest.mark.parametrize(
    ("marker", "problem"),
    [
        ('extra == "cpu"', "a marker of a lock has no variable 'extra'"),
        ('extras == "cpu"', "Set-valued marker 'extras' can only be used"),
        ('sys_platform ~= "linux"', "Undefined <Op('~=')> on 'linux' and 'linux'"),
        ('python_full_version > "' + "9" * 5000 + '"', "5000 digits"),
    ],
)
def test_one_without_a_meaning_is_named_with_its_subject(marker: str, problem: str) -> None:
    with pytest.raises(MarkerUnusable) as caught:
        holds(Marker(marker), VARIABLES, subject="demo")
    text = str(caught.value)
    assert text.startswith(f"demo: the marker {marker[:20]!r}"[:-1])
    assert problem in text
    assert len(text) < 500
    assert caught.value.exit_code is ExitCode.INVALID_INPUT
    assert caught.value.hint


@pytest.mark.parametrize(
    ("marker", "holds_for_some"),
    [
        ('"x" in extras', True),
        ('"x" not in extras and "dev" in dependency_groups', True),
        ('("x" in extras or "y" in extras) and sys_platform == "win32"', False),
        ('sys_platform == "linux" and "sys_platform" in extras', True),
        ('"lin" in sys_platform', True),
    ],
)
def test_a_marker_is_for_some_choice_of_extras(marker: str, *, holds_for_some: bool) -> None:
    found = for_some_choice(Marker(marker))
    variables = {**VARIABLES, "python_version": "3.12", "extras": frozenset()}
    assert holds(found, variables, subject="demo") is holds_for_some
    assert for_some_choice(None) is None
