"""The cells of a treemap fill it, and have the areas of their sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.runs.treemap import Rectangle, squarify

AREA = Rectangle(10, 20, 300, 200)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60))
def test_areas_are_proportional_and_inside(sizes: list[int]) -> None:
    sizes.sort(reverse=True)
    cells = squarify(sizes, AREA)
    for size, cell in zip(sizes, cells, strict=True):
        assert cell.width * cell.height == pytest.approx(60_000 * size / sum(sizes), rel=1e-3)
        assert cell.x >= 10 - 1e-6
        assert cell.x + cell.width <= 310 + 1e-3
        assert cell.y >= 20 - 1e-6
        assert cell.y + cell.height <= 220 + 1e-3


def test_nothing_has_no_cells() -> None:
    assert squarify([], AREA) == []


def test_equal_sizes_are_nearly_squares() -> None:
    for cell in squarify([1] * 6, AREA):
        assert 0.5 <= cell.width / cell.height <= 2
