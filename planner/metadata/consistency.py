"""Consistency: whether the wheels of one release ask for the same things.

Nothing demands it, and most lockers believe it. Here each target is resolved with the metadata of
its own wheel, and what only some of the wheels ask for is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from planner.metadata.core_metadata import WheelMetadata

__all__ = ["Inconsistency", "are_alike", "find_inconsistency"]


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """Two wheels of one release, and what only one of them says."""

    first: str
    """The name of a file."""
    second: str
    of_first: tuple[str, ...]
    """The requirements that the second does not have; sorted."""
    of_second: tuple[str, ...]


def are_alike(metadata: Sequence[WheelMetadata]) -> bool:
    """Whether all of these ask for the same things in the same words."""
    # Requirements in equal words are one object, so comparing them costs nothing.
    return len({(tuple(map(id, one.requires)), one.requires_python) for one in metadata}) < 2


def find_inconsistency(
    wheels: Sequence[tuple[str, WheelMetadata]],
) -> Inconsistency | None:
    """The first of ``wheels``, by file name, that asks for something else than the one before."""
    if are_alike([metadata for _, metadata in wheels]):
        return None
    told = [(filename, _lines(metadata)) for filename, metadata in sorted(wheels, key=_filename)]
    for (first, ours), (second, theirs) in pairwise(told):
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
