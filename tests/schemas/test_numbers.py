"""Numbers of foreign text are read if they are small, and known if they are huge."""

from __future__ import annotations

import pytest

from schemas.numbers import has_huge_number, small_int


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("42", 42), ("9" * 18, 10**18 - 1), ("9" * 19, None), ("9" * 5000, None),
        ("", None), ("-1", None), ("+1", None), ("1.5", None), ("1_0", None), ("²", None),
        ("\N{ARABIC-INDIC DIGIT ONE}", None), (" 1", None),
    ],
)  # fmt: skip
def test_a_number_is_read_if_it_is_small(text: str, number: int | None) -> None:
    assert small_int(text) == number


def test_a_huge_number_is_known_anywhere_in_a_text() -> None:
    assert has_huge_number(f">=1.{'2' * 1000}.0")
    assert not has_huge_number(f"{'2' * 999}.{'3' * 999}")
    assert not has_huge_number("2a" * 1_000_000)
