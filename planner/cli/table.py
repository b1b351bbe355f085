"""Tables on standard output."""

from __future__ import annotations

from collections.abc import Sequence

from executor import echo

__all__ = ["print_table"]


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print ``rows``: the first column from the left, the others from the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        echo("  ".join([first.ljust(widths[0]), *cells]).rstrip())
