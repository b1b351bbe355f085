"""A marker holds, does not hold, or is an invalid input that is named."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.markers import Marker

from schemas.errors import ExitCode
from schemas.markers import MarkerUnusable, holds

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
