"""Long lists are shown in part."""

from __future__ import annotations

import pytest

from schemas.text import enumerate_some


@pytest.mark.parametrize(
    ("items", "limit", "text"),
    [
        ([], 3, ""),
        (["a"], 3, "a"),
        (["a", "b", "c"], 3, "a, b, c"),
        (["a", "b", "c", "d"], 3, "a, b, c and 1 more"),
        (range(10), 2, "0, 1 and 8 more"),
    ],
)
def test_the_first_items_are_shown_and_the_others_counted(
    items: list[object], limit: int, text: str
) -> None:
    assert enumerate_some(items, limit) == text
