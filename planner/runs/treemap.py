"""Rectangles whose areas are proportional to sizes, as near to squares as they come.

The algorithm is the squarified treemap of Bruls, Huizing and van Wijk, 2000
(https://vanwijk.win.tue.nl/stm.pdf).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Rectangle", "squarify"]


class Rectangle(NamedTuple):
    """A place in a plane."""

    x: float
    y: float
    width: float
    height: float


def squarify(sizes: Sequence[float], area: Rectangle) -> list[Rectangle]:
    """Return a rectangle of ``area`` for each size; ``sizes`` are positive and descend."""
    total = sum(sizes)
    scale = area.width * area.height / total if total else 0.0
    waiting = [size * scale for size in sizes]
    found: list[Rectangle] = []
    while waiting:
        side = min(area.width, area.height)
        count = 1
        while count < len(waiting) and _worst(waiting[: count + 1], side) <= _worst(
            waiting[:count], side
        ):
            count += 1
        row, waiting = waiting[:count], waiting[count:]
        area = _lay(row, area, found)
    return found


def _worst(row: Sequence[float], side: float) -> float:
    """Return the largest ratio of sides in a row along a side of this length."""
    whole = sum(row)
    if not whole or not side:
        return float("inf")
    return max(side * side * row[0] / whole**2, whole**2 / (side * side * row[-1]))


def _lay(row: Sequence[float], area: Rectangle, found: list[Rectangle]) -> Rectangle:
    """Add the rectangles of a row along the shorter side; return what is left of the area."""
    whole = sum(row)
    if area.width >= area.height:
        width = whole / area.height if area.height else 0.0
        y = area.y
        for part in row:
            height = part / width if width else 0.0
            found.append(Rectangle(area.x, y, width, height))
            y += height
        return Rectangle(area.x + width, area.y, max(0.0, area.width - width), area.height)
    height = whole / area.width if area.width else 0.0
    x = area.x
    for part in row:
        width = part / height if height else 0.0
        found.append(Rectangle(x, area.y, width, height))
        x += width
    return Rectangle(area.x, area.y + height, area.width, max(0.0, area.height - height))
