"""Evaluation of the markers of a lock, whose author may have written what has no meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from packaging.markers import Marker, UndefinedEnvironmentName

from schemas.data_class import with_fields
from schemas.errors import InvalidInput

__all__ = ["MarkerUnusable", "holds"]

_SHOWN = 200
"""Characters of a marker that an error shows."""


@with_fields
class MarkerUnusable(InvalidInput):
    """A marker is valid in its grammar, but cannot be evaluated."""

    subject: str
    """The lock, or the name of a package."""
    marker: str
    problem: str
    hint: str = "plan again with lockstream plan, or correct the marker (PEP 751 and PEP 508)"

    def __str__(self) -> str:
        shown = self.marker if len(self.marker) <= _SHOWN else f"{self.marker[:_SHOWN]}..."
        return f"{self.subject}: the marker {shown!r} cannot be evaluated: {self.problem}"


def holds(
    marker: Marker | None,
    variables: Mapping[str, Any],
    *,
    subject: str,
    context: Literal["lock_file", "requirement"] = "lock_file",
) -> bool:
    """Return whether ``marker`` of ``subject`` holds for ``variables``; None always does.

    Raises MarkerUnusable.
    """
    if marker is None:
        return True
    try:
        return marker.evaluate(dict(variables), context=context)
    except UndefinedEnvironmentName as error:
        problem = f"a marker of a lock has no variable {error.args[0]!r}"
    except ValueError as error:  # UndefinedComparison, and numbers of thousands of digits
        problem = str(error).partition(";")[0]
    raise MarkerUnusable(subject, str(marker), problem)
