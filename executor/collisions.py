"""Collisions: two owners of one path.

pip and uv let the later one overwrite the earlier. Here different bytes are refused before
anything is moved, unless the user says that the last may win; equal bytes are shared. A path is the
same in other case or with other accents, as it is on macOS and Windows. Only folders that several
owners have are looked into, so the cost is that of what is shared, not of what is installed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence

from packaging.utils import canonicalize_name

from executor.commit import moves_of
from executor.errors import FileConflict
from executor.finish import StagedWheel
from executor.installed import Installed
from executor.names import folded
from executor.pathset import PathSet
from executor.schemes import Layout, Schemes

__all__ = ["refuse_collisions"]

_BLOCK = 64 << 10
"""Bytes read at once of two files that are compared."""

_Owner = tuple[str, str]
"""Who it is (empty for the environment) and the path of what it wants to have in a place."""


def refuse_collisions(
    wheels: Sequence[StagedWheel],
    schemes: Schemes,
    staging: str,
    *,
    going: PathSet,
    installed: Collection[Installed],
    last_wins: bool = False,
) -> None:
    """Compare what the wheels, and the environment, have for each path.

    ``going`` are the files that will be removed first; ``installed`` is what stays. With
    ``last_wins`` only a file in the place of a folder is refused, and what a wheel has in the place
    of an installed distribution of a later name is thrown away: a fresh environment would end so.

    Raises FileConflict for the first path with two contents.
    """
    owners: dict[str, list[_Owner]] = {}
    spelled: dict[str, str] = {}
    for wheel in wheels:
        for move in moves_of(wheel, schemes, staging):
            folder = os.path.join(staging, move.source)
            # lib64 is often a link to lib: the purelib and the platlib folder are one.
            place = spelled.setdefault(os.path.realpath(move.destination), move.destination)
            owners.setdefault(place, []).append((wheel.filename, folder))
    comparison = _Comparison(owners, going, installed, last_wins)
    for destination in sorted(owners):
        if destination in owners:
            comparison.folder(destination, [("", destination)])


class _Comparison:
    def __init__(
        self,
        owners: dict[str, list[_Owner]],
        going: PathSet,
        installed: Collection[Installed],
        last_wins: bool,
    ) -> None:
        self._owners = owners
        self._going = going
        self._installed = installed
        self._last_wins = last_wins

    def folder(self, place: str, owners: Sequence[_Owner]) -> None:
        """``owners`` all have a folder that becomes ``place``."""
        # The data scheme holds the others: a wheel may put a file there through either.
        owners = [*owners, *self._owners.pop(place, ())]
        held = [self._held(owner, folder) for owner, folder in owners]
        # There may be thousands of names, and few have two owners.
        repeated = PathSet(folded(name) for names in held for name in names).repeated()
        shared: dict[str, list[_Owner]] = {}
        for (owner, folder), names in zip(owners, held, strict=True):
            for name in names:
                key = folded(name)
                if hash(key) in repeated or self._holds_destination(os.path.join(place, name)):
                    shared.setdefault(key, []).append((owner, os.path.join(folder, name)))
        for _, having in sorted(shared.items()):
            inner = os.path.join(place, os.path.basename(having[-1][1]))
            if len(having) > 1 or self._holds_destination(inner):
                self._place(inner, having)

    def _held(self, owner: str, folder: str) -> list[str]:
        """The names in a folder, without those of the environment that the removals take away."""
        names = _names(folder)
        if owner:
            return names
        return [name for name in names if not self._will_go(os.path.join(folder, name))]

    def _will_go(self, path: str) -> bool:
        """Whether the removals take ``path`` away: a file that is listed, byte code of it, or a
        folder that holds nothing else.
        """
        if not _is_folder(path):
            return path in self._going or self._is_byte_code_of_going(path)
        names = _names(path)
        return bool(names) and all(self._will_go(os.path.join(path, name)) for name in names)

    def _is_byte_code_of_going(self, path: str) -> bool:
        folder, name = os.path.split(path)
        parent, cache = os.path.split(folder)
        source = os.path.join(parent, f"{name.partition('.')[0]}.py")
        return cache == "__pycache__" and name.endswith(".pyc") and source in self._going

    def _holds_destination(self, place: str) -> bool:
        return any(f"{other}/".startswith(f"{place}/") for other in self._owners)

    def _place(self, place: str, owners: Sequence[_Owner]) -> None:
        folders = [_is_folder(path) for _, path in owners]
        if all(folders):
            self.folder(place, owners)
            return
        (first_owner, first), *others = owners
        for owner, path in others:
            if any(folders) or not (self._last_wins or _same_contents(first, path)):
                other = os.path.basename(first)
                spelling = "" if place.endswith(f"/{other}") else f" (also spelled {other})"
                known = first_owner or self._described_owner(first)
                raise FileConflict(place + spelling, owner, known)
        if self._last_wins and not first_owner:
            last = max((found.name for found in self._installed_owners(first)), default="")
            for owner, path in others:
                if canonicalize_name(Layout.of(owner).distribution) < last:
                    os.unlink(path)

    def _described_owner(self, path: str) -> str:
        for found in self._installed_owners(path):
            return f"{found.name} {found.version}, which is installed"
        return "no distribution, but is there already"

    def _installed_owners(self, path: str) -> Iterator[Installed]:
        for found in self._installed:
            if found.is_complete and path in found.files():
                yield found


def _is_folder(path: str) -> bool:
    # A link to a folder is none: moving files into it would write elsewhere.
    return os.path.isdir(path) and not os.path.islink(path)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _same_contents(one: str, other: str) -> bool:
    if os.path.islink(one) or os.stat(one).st_size != os.stat(other).st_size:
        return False
    with open(one, "rb") as first, open(other, "rb") as second:
        while block := first.read(_BLOCK):
            if block != second.read(_BLOCK):
                return False
    return True
