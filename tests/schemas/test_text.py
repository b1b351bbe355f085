"""What others wrote is shown so that a terminal obeys nothing in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text import enumerate_some, one_line, printable

GONE = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("count", "shown"), [(0, ""), (2, "0, 1"), (3, "0, 1, 2"), (5, "0, 1, 2 and 2 more")]
)
def test_a_long_list_names_its_first_items(count: int, shown: str) -> None:
    assert enumerate_some(range(count), 3) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Not Found", "Not Found"),
        ("naïve ├─", "naïve ├─"),
        ("a\x1b[31mred\r\n", f"a{GONE}[31mred{GONE}{GONE}"),
        ("a\u202eb", f"a{GONE}b"),
        ("\udcff", GONE),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 80 + "..."),
        ("", ""),
    ],
)
def test_foreign_text_is_one_bounded_line(text: str, shown: str) -> None:
    assert one_line(text, 80) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one", "one"),
        ("one\ntwo", "one\n  two"),
        ("one\n  two", "one\n  two"),
        ("one\n    two\n", "one\n    two"),
        ("one\nerror: forged", "one\n  error: forged"),
        ("one\x1b]0;title\x07", f"one{GONE}]0;title{GONE}"),
    ],
)
def test_lines_after_the_first_are_indented(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_no_text_holds_anything_to_obey(text: str) -> None:
    first, *others = printable(text).split("\n")
    assert first.isprintable()
    assert all(line.isprintable() and line.startswith("  ") for line in others)
