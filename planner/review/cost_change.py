"""What one lock takes, next to what another takes, as text; what is not recorded is the same."""

from __future__ import annotations

from planner.review.cost import Cost
from schemas.sizes import format_size

__all__ = ["disk_change", "fetched", "fetched_change", "files", "unpacked", "unpacked_change"]


def fetched(cost: Cost) -> str:
    """Return the size of what is fetched; ``>`` if it is not recorded of all packages."""
    return _at_least(format_size(cost.size), known=cost.is_sized)


def unpacked(cost: Cost, size: int) -> str:
    """Return a ``size`` (bytes) of unpacked files; ``>`` if not all packages are in it."""
    return _at_least(format_size(size), known=cost.is_measured)


def files(cost: Cost) -> str:
    """Return the number of files; ``>`` if it is not recorded of all packages."""
    return _at_least(f"{cost.files:,}", known=cost.is_measured)


def fetched_change(old: Cost, new: Cost) -> str:
    """Return what is fetched for ``new``, and the difference if both locks record it."""
    difference = _difference(old.size, new.size, known=old.is_sized and new.is_sized)
    return fetched(new) + difference


def unpacked_change(old: Cost, new: Cost) -> str:
    """Return what is unpacked for ``new``, and the difference if both locks record it."""
    return _unpacked_change(old, new, old.unpacked_size, new.unpacked_size)


def disk_change(old: Cost, new: Cost) -> str:
    """Return the disk that ``new`` takes, and the difference if both locks record it."""
    return _unpacked_change(old, new, old.disk, new.disk)


def _unpacked_change(old: Cost, new: Cost, before: int, after: int) -> str:
    difference = _difference(before, after, known=old.is_measured and new.is_measured)
    return unpacked(new, after) + difference


def _difference(old: int, new: int, *, known: bool) -> str:
    return f" ({'-' if new < old else '+'}{format_size(abs(new - old))})" if known else ""


def _at_least(figure: str, *, known: bool) -> str:
    return figure if known else f">{figure}"
