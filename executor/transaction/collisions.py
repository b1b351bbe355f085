"""Collisions: two owners of one path.

pip and uv let the later one overwrite the earlier. Here different bytes are refused before
anything is moved, unless the user says that the last may win; equal bytes are shared. A path is the
same in other case or with other accents, as it is on macOS and Windows. Only folders that several
owners have are looked into, so the cost is that of what is shared, not of what is installed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from packaging.utils import canonicalize_name

from executor.environment.installed import Installed
from executor.environment.schemes import Schemes
from executor.files.path_set import PathSet
from executor.transaction.commit import moves_of
from executor.transaction.errors import FileConflict
from executor.wheels.layout import Layout
from executor.wheels.member_names import folded
from executor.wheels.staged_wheel import StagedWheel

__all__ = ["refuse_collisions"]


_BLOCK = 64 << 10
"""Bytes read at once of two files that are compared."""


_Owner = tuple[str, str]
"""Who it is (its folder below that of the journal; empty for the environment) and the path of what
it wants to have in a place."""


def refuse_collisions(
    wheels: Iterable[StagedWheel],
    schemes: Schemes,
    staging: str,
    *,
    going: PathSet,
    installed: Collection[Installed],
    last_wins: bool = False,
) -> None:
    """Compare what the wheels, and the environment, have for each path.

    ``wheels`` can be gone through again. ``going`` are the files that will be removed first;
    ``installed`` is what stays. With ``last_wins`` only a file in the place of a folder is refused,
    and what a wheel has in the place of an installed distribution of a later name is thrown away: a
    fresh environment would end so.

    Raises FileConflict for the first path with two contents.
    """
    sources: dict[str, list[str]] = {}
    spelled: dict[str, str] = {}
    for wheel in wheels:
        for move in moves_of(wheel, schemes, staging):
            # lib64 is often a link to lib: the purelib and the platlib folder are one.
            place = spelled.setdefault(os.path.realpath(move.destination), move.destination)
            sources.setdefault(place, []).append(move.source)
    comparison = _Comparison(sources, wheels, staging, going, installed, last_wins)
    for destination in sorted(sources):
        if destination in sources:
            comparison.folder(destination, [("", destination)])


class _Comparison:
    def __init__(
        self,
        sources: dict[str, list[str]],
        wheels: Iterable[StagedWheel],
        staging: str,
        going: PathSet,
        installed: Collection[Installed],
        last_wins: bool,
    ) -> None:
        self._sources = sources
        self._wheels = wheels
        self._staging = staging
        self._staying: dict[str, list[str]] = {}
        self._going = going
        self._installed = installed
        self._last_wins = last_wins

    def folder(self, place: str, owners: Sequence[_Owner]) -> None:
        """``owners`` all have a folder that becomes ``place``."""
        # The data scheme holds the others: a wheel may put a file there through either.
        sources = self._sources.pop(place, [])

        def held() -> Iterator[tuple[str, str, str]]:
            for owner, folder in chain(owners, map(self._owner, sources)):
                for name in self._held(owner, folder):
                    yield owner, folder, name

        # Few of thousands of names have two owners, so all are gone through twice, and not kept.
        repeated = PathSet(folded(name) for _, _, name in held()).repeated()
        shared: dict[str, list[_Owner]] = {}
        for owner, folder, name in held():
            key = folded(name)
            if hash(key) in repeated or self._holds_destination(os.path.join(place, name)):
                shared.setdefault(key, []).append((owner, os.path.join(folder, name)))
        for _, having in sorted(shared.items()):
            inner = os.path.join(place, os.path.basename(having[-1][1]))
            if len(having) > 1 or self._holds_destination(inner):
                self._place(inner, having)

    def _owner(self, source: str) -> _Owner:
        return source, os.path.join(self._staging, source)

    def _held(self, owner: str, folder: str) -> list[str]:
        """The names in a folder, without those of the environment that the removals take away."""
        if owner:
            return _names(folder)
        if folder not in self._staying:
            self._staying[folder] = [
                name for name in _names(folder) if not self._will_go(os.path.join(folder, name))
            ]
        return self._staying[folder]

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
        return any(f"{other}/".startswith(f"{place}/") for other in self._sources)

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
                known = self._filename(first_owner) if first_owner else self._installed_as(first)
                raise FileConflict(place + spelling, self._filename(owner), known)
        if self._last_wins and not first_owner:
            last = max((found.name for found in self._installed_owners(first)), default="")
            for owner, path in others:
                if canonicalize_name(Layout.of(self._filename(owner)).distribution) < last:
                    os.unlink(path)

    def _filename(self, owner: str) -> str:
        """That of the wheel whose folder ``owner`` is, or is in."""
        folder = os.path.join(self._staging, owner.partition(os.sep)[0])
        return next(wheel.filename for wheel in self._wheels if wheel.folder == folder)

    def _installed_as(self, path: str) -> str:
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
