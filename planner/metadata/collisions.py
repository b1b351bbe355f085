"""Files that two wheels of one environment would install in the same place.

The wheel that is installed last would overwrite the file of the other, which an execution refuses.
The planner finds them in the central directories, which it reads anyway.
"""

from __future__ import annotations

from collections.abc import Iterable

from planner.metadata.listing import Listing
from schemas.data_class import frozen

__all__ = ["Collision", "find_collisions"]


@frozen
class Collision:
    """Two wheels that cannot be installed together."""

    first: str
    second: str
    """File names of the wheels."""
    places: tuple[str, ...]
    """Files that both have, with different contents."""


def find_collisions(wheels: Iterable[tuple[str, Listing]]) -> tuple[Collision, ...]:
    """Return the collisions among ``wheels``, pairs of file name and listing. Equal files do not
    collide.
    """
    # Most wheels have nothing in common from the top.
    begun = [(filename, listing, listing.tops()) for filename, listing in wheels]
    shared = _shared_folders((filename, tops) for filename, _, tops in begun)
    listed = [
        (filename, listing, listing.folders())
        for filename, listing, tops in begun
        if not shared.isdisjoint(tops)
    ]
    shared = _shared_folders((filename, folders) for filename, _, folders in listed)
    owners: dict[str, tuple[str, int]] = {}
    found: dict[tuple[str, str], list[str]] = {}
    for filename, listing, folders in listed:
        if shared.isdisjoint(folders):
            continue
        for place, content in listing.files():
            if place.rpartition("/")[0] not in shared:
                continue
            owner, known = owners.setdefault(place, (filename, content))
            if known != content and owner != filename:
                found.setdefault((owner, filename), []).append(place.removeprefix("lib/"))
    return tuple(
        Collision(first, second, tuple(places)) for (first, second), places in found.items()
    )


def _shared_folders(wheels: Iterable[tuple[str, Iterable[str]]]) -> set[str]:
    """Return the folders that several wheels have files in: most folders are of one wheel alone."""
    owners: dict[str, str] = {}
    return {
        folder
        for filename, folders in wheels
        for folder in folders
        if owners.setdefault(folder, filename) != filename
    }
