"""The folders of an environment that the staged files of a move land in, links considered."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from executor.environment.places import Ways
from executor.files.held_folder import HeldFolder
from executor.transaction.journal_entries import Move
from schemas.wheel import MAX_NAME_SIZE

__all__ = ["Landing", "Landings", "check_lengths", "existing_folder", "landings"]


_MAX_PATH = 4095
"""Bytes (PATH_MAX of Linux, without the null byte at the end)."""


_MAX_HELD = 4096
"""Names that are held in memory, in half a MiB; a thousand small wheels have 2,000."""


class Landing(NamedTuple):
    """The entries of one staged folder that come as a whole into one folder of an environment."""

    source: str
    """The staged folder, relative to the folder that everything is staged in."""
    folder: str
    """Absolute path of the folder that they land in. If it is absent, the move makes it."""
    names: Sequence[str]
    """Names of the entries; the others are folders that exist there, and have landings of their
    own."""
    is_linked: bool
    """Whether a link of the environment leads to ``folder``."""
    met: Sequence[str]
    """Names of the folders that exist there under this name, and not through a link."""


class Landings:
    """The landings of all moves of one commit, for several checks.

    They are held from the first iteration on, if they are few; otherwise each iteration looks for
    them again. Iterating raises OSError.
    """

    def __init__(self, moves: Sequence[Move], staging: HeldFolder, ways: Ways) -> None:
        self._moves = moves
        self._staging = staging
        self._ways = ways
        self._held: list[Landing] | None = None

    def __iter__(self) -> Iterator[Landing]:
        if self._held is not None:
            yield from self._held
            return
        held, names = list[Landing](), 0
        for landing in landings(self._moves, self._staging, self._ways):
            names += 1 + len(landing.names)
            if names <= _MAX_HELD:
                held.append(landing)
            else:
                held.clear()
            yield landing
        if names <= _MAX_HELD:
            self._held = held

    def forget(self) -> None:
        """Look for them again in the next iteration: a staged file was removed."""
        self._held = None


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
    for name, is_folder in held.entries_once():
        is_met = exists and is_folder and ways.is_way(f"{folder}/{name}")
        (inner if is_met else whole).append(name)
    links = {name for name in inner if os.path.islink(os.path.join(folder, name))}
    met = tuple(name for name in inner if name not in links)
    yield Landing(source, folder, tuple(whole), is_linked, met)
    for name in inner:
        place, is_link = os.path.join(folder, name), name in links
        with held.inner(name) as below:
            yield from _landings(
                f"{source}/{name}",
                below,
                os.path.realpath(place) if is_link else place,
                ways,
                is_linked=is_link,
            )


def check_lengths(moves: Iterable[Move], staging: HeldFolder) -> None:
    """Raise OSError if a path would be longer than the kernel takes: what is moved folder by folder
    would arrive, and no program could open it.
    """
    for move in moves:
        room = _MAX_PATH - len(os.fsencode(move.destination))
        if room <= MAX_NAME_SIZE:
            with staging.inner(move.source) as held:
                _check_lengths(held, move.destination, room)


def _check_lengths(held: HeldFolder, folder: str, room: int) -> None:
    for name, is_folder in held.entries_once():
        left, path = room - 1 - len(os.fsencode(name)), f"{folder}/{name}"
        if left < 0:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path)
        if is_folder:
            with held.inner(name) as below:
                _check_lengths(below, path, left)


def existing_folder(path: str) -> str:
    """Return ``path``, or the nearest thing above it that exists, be it a folder or not."""
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return path
