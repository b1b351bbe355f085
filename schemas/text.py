"""Text that is shown to the user."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["enumerate_some"]


def enumerate_some(items: Iterable[object], limit: int = 5) -> str:
    """Return the first ``limit`` items, and how many more there are."""
    texts = [str(item) for item in items]
    more = len(texts) - limit
    shown = ", ".join(texts[:limit])
    return f"{shown} and {more} more" if more > 0 else shown
