"""Errors."""

from __future__ import annotations

from dataclasses import dataclass

from executor.files.errors import mib_above, mib_below
from schemas.errors import NotEnough

__all__ = ["BudgetTooSmall"]


@dataclass(eq=False)
class BudgetTooSmall(NotEnough):
    """The memory given does not hold even one lane. All sizes in bytes."""

    needed: int
    available: int
    source: str
    held: int = 0
    """By the files that will be installed, where their file system is memory itself."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the figures
        total = mib_above(self.needed + self.held)
        remedy = f"give it at least {total} MiB: a larger limit, or --memory"
        return f"{remedy}; or install onto a disk" if self.held else remedy

    def __str__(self) -> str:
        files = f" and the files on a tmpfs {mib_above(self.held)} MiB" if self.held else ""
        return (
            f"one lane needs {mib_above(self.needed)} MiB of memory{files}, "
            f"but {self.source} leaves {mib_below(self.available)} MiB"
        )
