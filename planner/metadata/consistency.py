"""Whether the wheels of one release have the same requirements.

No standard demands it, and most lockers assume it. The resolver uses the metadata of the wheel that
each target gets, and the user is warned of requirements that only some wheels have.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from planner.metadata.core_metadata import WheelMetadata
from schemas.data_class import frozen

__all__ = ["Inconsistency", "are_alike", "find_inconsistency"]


@frozen
class Inconsistency:
    """Two wheels of one release, and the requirements that only one of them has."""

    first: str
    """File name of the first wheel."""
    second: str
    of_first: tuple[str, ...]
    """The requirements that the second does not have; sorted."""
    of_second: tuple[str, ...]


def are_alike(metadata: Sequence[WheelMetadata]) -> bool:
    """Return whether all of these have the same requirements in the same words."""
    # Requirements in equal words are one object, so identities can be compared.
    return len({(tuple(map(id, one.requires)), one.requires_python) for one in metadata}) < 2


def find_inconsistency(
    wheels: Sequence[tuple[str, WheelMetadata]],
) -> Inconsistency | None:
    """Return the first of ``wheels``, by file name, whose requirements differ from those of the one
    before it.
    """
    if are_alike([metadata for _, metadata in wheels]):
        return None
    lines = [(filename, _lines(metadata)) for filename, metadata in sorted(wheels, key=_filename)]
    for (first, ours), (second, theirs) in pairwise(lines):
        if ours != theirs:
            return Inconsistency(
                first, second, tuple(sorted(ours - theirs)), tuple(sorted(theirs - ours))
            )
    return None


def _filename(wheel: tuple[str, WheelMetadata]) -> str:
    return wheel[0]


def _lines(metadata: WheelMetadata) -> frozenset[str]:
    python = [f"Python {metadata.requires_python}"] if metadata.requires_python else []
    return frozenset([*map(str, metadata.requires), *python])
