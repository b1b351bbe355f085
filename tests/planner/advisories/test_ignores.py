"""An ignored advisory counts again after its last day, or when a fixed version is known."""

from __future__ import annotations

from datetime import date

import pytest

from planner.advisories.ignores import Ignore
from schemas.errors import UsageError

TODAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("text", "without_fix", "with_fix"),
    [
        ("GHSA-1", True, True),
        ("GHSA-1=2026-06-01", True, True),
        (" GHSA-1 = 2026-05-31 ", False, False),
        ("GHSA-1=fixed", True, False),
    ],
)
def test_an_ignore_holds_as_long_as_it_says(text: str, without_fix: bool, with_fix: bool) -> None:
    ignore = Ignore.parse(text)
    assert ignore.id == "GHSA-1"
    assert ignore.holds(TODAY, has_fix=False) is without_fix
    assert ignore.holds(TODAY, has_fix=True) is with_fix


def test_an_id_is_known_in_any_case() -> None:
    ignore = Ignore.parse("ghsa-X")
    assert ignore.names(("CVE-2026-1", "GHSA-x"))
    assert not ignore.names(("GHSA-x1",))


@pytest.mark.parametrize("text", ["", "=fixed", "GHSA-1=", "GHSA-1=tomorrow", "GHSA-1=2026-13-01"])
def test_another_text_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        Ignore.parse(text)
    assert str(raised.value) == f"--ignore {text} is not the id of an advisory"
    assert raised.value.hint == (
        "write --ignore ID, such as CVE-2026-12345; with =2027-01-31 it counts again after that "
        "day, and with =fixed when a fixed version is known"
    )
