"""The folders of an environment that the staged files of a move land in, links considered."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from executor.environment.places import Ways
from executor.files.held_folder import HeldFolder
from executor.transaction.journal import Move

__all__ = ["Landing", "existing_folder", "landings"]


class Landing(NamedTuple):
    """The entries of one staged folder that come as a whole into one folder of an environment."""

    source: str
    """The staged folder, relative to the folder that everything is staged in."""
    folder: str
    """Absolute path of the folder that they land in. If it is absent, the move makes it."""
    names: list[str]
    """Names of the entries; the others are folders that exist there, and have landings of their
    own."""
    is_linked: bool
    """Whether a link of the environment leads to ``folder``."""


def landings(moves: Iterable[Move], staging: HeldFolder, ways: Ways) -> Iterator[Landing]:
    """Yield the landings of ``moves`` out of the folder ``staging``. Raises OSError."""
    for move in moves:
        with staging.inner(move.source) as held:
            yield from _landings(move.source, held, move.destination, ways, is_linked=False)


def _landings(
    source: str, held: HeldFolder, folder: str, ways: Ways, *, is_linked: bool
) -> Iterator[Landing]:
    exists = os.path.isdir(folder)
    whole, inner = list[str](), list[str]()
    for name, is_folder in held.entries():
        is_met = exists and is_folder and ways.is_way(os.path.join(folder, name))
        (inner if is_met else whole).append(name)
    yield Landing(source, folder, whole, is_linked)
    for name in inner:
        place = os.path.join(folder, name)
        is_link = os.path.islink(place)
        with held.inner(name) as below:
            yield from _landings(
                f"{source}/{name}",
                below,
                os.path.realpath(place) if is_link else place,
                ways,
                is_linked=is_link,
            )


def existing_folder(path: str) -> str:
    """Return ``path``, or the nearest thing above it that exists, be it a folder or not."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path
