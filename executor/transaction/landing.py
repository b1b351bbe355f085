"""The folders of an environment that the staged files of a move land in, links considered."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from executor.environment.places import Ways
from executor.transaction.journal import Move

__all__ = ["Landing", "existing_folder", "landings"]


class Landing(NamedTuple):
    """The entries of one staged folder that come as a whole into one folder of an environment."""

    source: str
    """Absolute path of the staged folder."""
    folder: str
    """Absolute path of the folder that they land in. If it is absent, the move makes it."""
    names: list[str]
    """Names of the entries; the others are folders that exist there, and have landings of their
    own."""
    is_linked: bool
    """Whether a link of the environment leads to ``folder``."""


def landings(moves: Iterable[Move], staging: str, ways: Ways) -> Iterator[Landing]:
    """Yield the landings of ``moves`` out of the folder ``staging``. Raises OSError."""
    for move in moves:
        source = os.path.join(staging, move.source)
        yield from _landings(source, move.destination, ways, is_linked=False)


def _landings(source: str, folder: str, ways: Ways, *, is_linked: bool) -> Iterator[Landing]:
    exists = os.path.isdir(folder)
    whole, inner = list[str](), list[str]()
    with os.scandir(source) as entries:
        for entry in entries:
            is_folder = exists and entry.is_dir(follow_symlinks=False)
            is_met = is_folder and ways.is_way(os.path.join(folder, entry.name))
            (inner if is_met else whole).append(entry.name)
    yield Landing(source, folder, whole, is_linked)
    for name in inner:
        place = os.path.join(folder, name)
        is_link = os.path.islink(place)
        yield from _landings(
            os.path.join(source, name),
            os.path.realpath(place) if is_link else place,
            ways,
            is_linked=is_link,
        )


def existing_folder(path: str) -> str:
    """Return ``path``, or the nearest thing above it that exists, be it a folder or not."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path
