"""Evaluation of the markers of a lock, whose author may have written what has no meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from packaging.markers import Marker, UndefinedEnvironmentName

from schemas.data_class import with_fields
from schemas.errors import InvalidInput

__all__ = ["MarkerUnusable", "for_some_choice", "holds"]

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


_CHOICE = re.compile(r'"[^"]*"\s+(?:not\s+)?in\s+(?:extras|dependency_groups)\b')
"""A condition on the extras or groups that an installation selects, as a marker is printed."""

_ALWAYS = 'python_version >= "0"'


def for_some_choice(marker: Marker | None) -> Marker | None:
    """Return ``marker`` as if each of its conditions on extras and groups held: where it holds,
    some installation may select what it is for.
    """
    return marker and Marker(_CHOICE.sub(_ALWAYS, str(marker)))


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
