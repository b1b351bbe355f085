"""Who has a path: a wheel of the transaction, or a distribution that is installed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

from executor.environment.installed import Installed
from executor.environment.places import Places, Ways, is_below
from executor.files.path_set import PathSet
from executor.transaction.commit import WheelMoves
from executor.transaction.errors import FileConflict
from executor.wheels.errors import WheelRefused
from schemas.errors import ArtifactRefused

__all__ = ["NO_OWNER", "Owner", "Owners", "conflict", "wheel_folder"]


NO_OWNER = "no distribution, but is there already"
"""How ``Owners`` calls the owner of a file that belongs to no distribution."""


Owner = tuple[str, str]
"""The folder of a wheel below that of the journal (empty for the environment), and what it has for
a place: a name below the folder of the journal (a path of the environment)."""


class Owners:
    """Names the owners of paths for one transaction."""

    def __init__(
        self, arrivals: Sequence[WheelMoves], installed: Collection[Installed], ways: Ways
    ) -> None:
        """``arrivals`` are the wheels; ``installed`` is what stays of the environment, whose paths
        lead along ``ways``.
        """
        self._arrivals = arrivals
        self._installed = installed
        self._ways = ways
        self._owned: list[tuple[Installed, PathSet]] | None = None
        """The keys of the files of each installed distribution, once an owner is looked up."""

    def wheel(self, owner: str) -> str:
        """Return the file name of the wheel whose staged folder ``owner`` is, or is in."""
        folder = wheel_folder(owner)
        return next(
            arrival.filename
            for arrival in self._arrivals
            if any(wheel_folder(move.source) == folder for move in arrival.moves)
        )

    def installed_as(self, path: str) -> str:
        """Return as text which distribution has the file at ``path``, or one in the folder."""
        is_folder = os.path.isdir(path)
        owners = self._below(path) if is_folder else self.of(path)
        for found in owners:
            return f"{found.name} {found.version}, which is installed"
        return NO_OWNER

    def _below(self, folder: str) -> Iterator[Installed]:
        real = os.path.realpath(folder)
        for found in self._installed:
            entries = map(self._ways.entry, found.files() if found.is_complete else ())
            if any(entry is not None and is_below(entry.path, [real]) for entry in entries):
                yield found

    def of(self, path: str) -> Iterator[Installed]:
        """Return the installed distributions whose RECORD has the file at ``path``."""
        key = Places().key
        if self._owned is None:
            whole = (found for found in self._installed if found.is_complete)
            self._owned = [(found, PathSet(map(key, found.files()))) for found in whole]
        wanted = key(path)
        return (found for found, owned in self._owned if wanted in owned)


def conflict(place: str, owner: str, other: str, *, is_folder: bool) -> ArtifactRefused:
    """Return the error of a wheel ``owner`` and of ``other``, as ``Owners`` call them, which have
    ``place`` both; ``is_folder``: one of them needs a folder there.
    """
    if owner == other:
        return WheelRefused(owner, f"two of its members go to {place}, and differ")
    if is_folder and other == NO_OWNER:
        hint = "move it away: one is a file, the other a folder"
        return FileConflict(place, owner, other, hint)
    if is_folder:
        hint = "lock only one of the two: one has a file where the other needs a folder"
        return FileConflict(place, owner, other, hint)
    if other == NO_OWNER:
        hint = "move it away, or let the wheel replace it with --on-collision last"
        return FileConflict(place, owner, other, hint)
    return FileConflict(place, owner, other)


def wheel_folder(owner: str) -> str:
    """Return the staged folder of the whole wheel that ``owner`` is a folder of."""
    return owner.partition("/")[0]
