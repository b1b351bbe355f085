"""Tables on standard output."""

from __future__ import annotations

from collections.abc import Sequence

from executor import echo

__all__ = ["print_table"]


def print_table(rows: Sequence[Sequence[str]], *, texts: int = 0) -> None:
    """Print ``rows``: the first column and the last ``texts`` from the left, the others from the
    right.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lefts = {0, *range(len(widths) - texts, len(widths))}
    for row in rows:
        cells = [
            cell.ljust(width) if column in lefts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        echo("  ".join(cells).rstrip())
