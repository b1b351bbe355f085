"""Refuse two owners of one path with different contents.

pip and uv let the later one overwrite the earlier. Here different contents are refused before
anything is moved, unless the user lets the last one win; equal contents are shared. A path is the
same in another case or with other accents, as it is on macOS and Windows, and through a link that
stays in the environment. Only folders that several owners have are read, so the cost is that of
what is shared, not of what is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from executor.environment.installed import Installed
from executor.environment.places import Places, Ways
from executor.files.held_folder import HeldFolder
from executor.files.path_set import PathSet
from executor.files.regular import NOT_REGULAR
from executor.transaction.commit import WheelMoves
from executor.transaction.landing import Landings, existing_folder
from executor.transaction.owners import Owner, Owners, conflict, wheel_folder
from executor.wheels.layout import Layout
from executor.wheels.member_names import folded
from schemas.wheel_filename import normalized_name

__all__ = ["refuse_collisions"]


_BLOCK = 64 << 10
"""Bytes read at once of two files that are compared."""


_PART = 500
"""Shared names of a folder that are held at once, with those who have them: 0.5 KiB each."""


def refuse_collisions(
    arrivals: Sequence[WheelMoves],
    found: Landings,
    ways: Ways,
    staging: HeldFolder,
    *,
    going: PathSet,
    installed: Collection[Installed],
    last_wins: bool = False,
) -> None:
    """Compare what the wheels and the environment have for each path.

    ``found`` are the landings of all ``arrivals``. ``going`` are the keys (``Places``) of the
    entries that are removed first; ``installed`` is what stays. With ``last_wins`` only a file in
    the place of a folder is refused; a wheel's file is thrown away if an installed distribution of
    a later name has it, as a fresh environment would end.

    Raises FileConflict for the first path with two contents, and WheelRefused if one wheel has
    both, whatever the user says.
    """
    comparison = _Comparison(arrivals, found, ways, staging, going, installed, last_wins)
    comparison.compare()


class _Comparison:
    """The comparison of the staged wheels of one transaction with each other and with the
    environment.
    """

    def __init__(
        self,
        arrivals: Sequence[WheelMoves],
        found: Landings,
        ways: Ways,
        staging: HeldFolder,
        going: PathSet,
        installed: Collection[Installed],
        last_wins: bool,
    ) -> None:
        self._arrivals = arrivals
        self._found = found
        self._staging = staging
        self._staying: dict[str, list[str]] = {}
        self._going = going
        self._places = Places()
        self._ways = ways
        self._owners = Owners(arrivals, installed, ways)
        self._last_wins = last_wins
        self._sources: dict[str, list[str]] = {}
        """By the real path of a folder of the environment: the staged folders that go into it."""
        self._names: dict[str, PathSet] = {}
        """By the same: the folded names of all that those folders hold."""
        self._linked = set[str]()
        """Staged folders that a link of the environment leads elsewhere."""
        self._check_ways()
        self._find_sources()

    def _check_ways(self) -> None:
        checked = ""
        for arrival in self._arrivals:
            for move in arrival.moves:
                if move.destination != checked:
                    self._check_way(move.destination, arrival.filename)
                    checked = move.destination

    def _find_sources(self) -> None:
        tops = {move.source for arrival in self._arrivals for move in arrival.moves}
        spelled: dict[str, str] = {}
        folder = place = ""
        for landing in self._found:
            if landing.is_linked:
                self._linked.add(landing.source)
            elif landing.source not in tops:
                continue
            if landing.folder != folder:
                folder = landing.folder
                key = self._places.of_folder(folder)
                place = spelled.get(key) or spelled.setdefault(key, os.path.realpath(folder))
            self._sources.setdefault(place, []).append(landing.source)
            names = self._names.setdefault(place, PathSet())
            names.add_all(map(folded, chain(landing.names, landing.met)))

    def _check_way(self, destination: str, filename: str) -> None:
        """Raise FileConflict if a file, or a link to nothing, is where a folder has to be."""
        place = existing_folder(destination)
        if not os.path.isdir(place) and self._places.key(place) not in self._going:
            raise conflict(place, filename, self._owners.installed_as(place), is_folder=True)

    def compare(self) -> None:
        """Compare all folders that wheels go into. Raises FileConflict."""
        for place in sorted(self._sources):
            if place in self._sources:
                self._compare_folder(place, [("", place)])

    def _compare_folder(self, place: str, owners: Sequence[Owner]) -> None:
        """Compare the contents of the folders that ``owners`` have for ``place``."""
        # The data scheme holds the others: a wheel may put a file there through either.
        sources = self._sources.pop(place, [])
        names = self._names.pop(place, None) or PathSet()
        for owner, folder in owners:
            names.add_all(map(folded, self._held(owner, folder)))
        repeated = names.repeated()
        if not repeated and not self._destinations(place):
            return

        def held() -> Iterator[tuple[str, str, str]]:
            for owner, folder in chain(owners, zip(sources, sources, strict=True)):
                for name in self._held(owner, folder):
                    yield owner, folder, name

        def shared(name: str, key: str) -> bool:
            return key in repeated or bool(self._destinations(os.path.join(place, name)))

        after = ""
        while found := _first_shared(held(), shared, after):
            after = max(found)
            groups = (group for _, having in sorted(found.items()) for group in _groups(having))
            for having in groups:
                inner = os.path.join(place, os.path.basename(having[-1][1]))
                if len(having) > 1 or self._destinations(inner):
                    self._compare_entries(inner, having)

    def _held(self, owner: str, folder: str) -> Iterable[str]:
        """Return the names in a folder, without those that are removed or land elsewhere."""
        if owner:
            names = self._staging.each_name(folder)
            if not self._linked:
                return names
            return (name for name in names if f"{folder}/{name}" not in self._linked)
        if folder not in self._staying:
            self._staying[folder] = [
                name
                for name in _names(folder)
                if not (self._going and self._will_go(os.path.join(folder, name)))
            ]
        return self._staying[folder]

    def _will_go(self, path: str) -> bool:
        """Return whether the removals remove ``path``: a file that is listed, byte code of it, or a
        folder that holds nothing else.
        """
        if os.path.islink(path) or not os.path.isdir(path):
            return self._places.key(path) in self._going or self._is_byte_code_of_going(path)
        names = _names(path)
        return bool(names) and all(self._will_go(os.path.join(path, name)) for name in names)

    def _is_byte_code_of_going(self, path: str) -> bool:
        folder, name = os.path.split(path)
        parent, cache = os.path.split(folder)
        source = os.path.join(parent, f"{name.partition('.')[0]}.py")
        is_byte_code = cache == "__pycache__" and name.endswith(".pyc")
        return is_byte_code and self._places.key(source) in self._going

    def _destinations(self, place: str) -> list[str]:
        """Return the staged folders that go into ``place`` or below it, and were not compared."""
        return [
            source
            for other, sources in self._sources.items()
            if f"{other}/".startswith(f"{place}/")
            for source in sources
        ]

    def _is_folder(self, owner: str, path: str) -> bool:
        # A link to a folder outside is not one: moving files into it would write elsewhere.
        if owner:
            return self._staging.is_folder(path)
        return self._ways.is_way(path)

    def _compare_entries(self, place: str, owners: Sequence[Owner]) -> None:
        """Compare what several owners have for ``place``, or one owner if others need it to be a
        folder. Raises FileConflict.
        """
        folders = [self._is_folder(owner, path) for owner, path in owners]
        if all(folders):
            real = os.path.realpath(owners[0][1]) if not owners[0][0] else place
            self._compare_folder(real, owners)
            return
        first_owner, first = owners[0]
        known = self._owners.wheel(first_owner) if first_owner else self._owners.installed_as(first)
        for source in self._destinations(place):
            raise conflict(place, self._owners.wheel(source), known, is_folder=True)
        first_of = {wheel_folder(first_owner): owners[0]}
        for owner, path in owners[1:]:
            # Which of two files of one wheel would be the last, nothing says.
            own = first_of.setdefault(wheel_folder(owner), (owner, path))
            rival = own if self._last_wins and not any(folders) else owners[0]
            if any(folders) or not (rival[1] == path or self._is_same(*rival, path)):
                other = os.path.basename(rival[1])
                spelling = "" if place.endswith(f"/{other}") else f" (also spelled {other})"
                known = self._owners.wheel(owner) if rival is own else known
                raise conflict(
                    place + spelling, self._owners.wheel(owner), known, is_folder=any(folders)
                )
        if self._last_wins and not first_owner:
            last = max((found.name for found in self._owners.of(first)), default="")
            folder = os.path.dirname(first)
            for owner, path in owners[1:]:
                # Where case counts, another spelling is another file.
                is_met = os.path.lexists(os.path.join(folder, os.path.basename(path)))
                name = Layout.of(self._owners.wheel(owner)).distribution
                if is_met and normalized_name(name) < last:
                    self._staging.unlink(path)
                    self._found.forget()

    def _is_same(self, owner: str, first: str, other: str) -> bool:
        """Return whether what ``owner`` has has the contents of the staged file ``other``."""
        try:
            one = self._staging.open(first) if owner else _opened(first)
        except OSError as error:
            if error.errno in NOT_REGULAR:
                return False
            raise
        with one, self._staging.open(other) as second:
            if os.fstat(one.fileno()).st_size != os.fstat(second.fileno()).st_size:
                return False
            while block := one.read(_BLOCK):
                if block != second.read(_BLOCK):
                    return False
        return True


def _first_shared(
    held: Iterable[tuple[str, str, str]], is_shared: Callable[[str, str], bool], after: str
) -> dict[str, list[Owner]]:
    """Return those who have the first shared names after ``after``, by the folded name.

    ``held`` are owner, folder and name of each entry. Few of thousands of names have two owners, or
    all have, so they are read again for each part of them, and not kept.
    """
    found: dict[str, list[Owner]] = {}
    before: str | None = None
    for owner, folder, name in held:
        key = folded(name)
        if key <= after or (before is not None and key >= before) or not is_shared(name, key):
            continue
        found.setdefault(key, []).append((owner, os.path.join(folder, name)))
        if len(found) == 2 * _PART:
            kept = sorted(found)
            before = kept[_PART]
            for later in kept[_PART:]:
                del found[later]
    return found


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _opened(path: str) -> BinaryIO:
    """Return the regular file at a path of the environment, open; a link to one is another thing.

    Raises OSError.
    """
    folder, name = os.path.split(path)
    with HeldFolder.at(os.path.realpath(folder)) as held:
        return held.open(name)


def _groups(having: list[Owner]) -> list[list[Owner]]:
    """Return those that have one name; names of one wheel that only look alike are apart, for it
    was let in with them.
    """
    spelled = {os.path.basename(path) for _, path in having}
    is_one_wheel = len({wheel_folder(owner) for owner, _ in having}) == 1
    return [[one] for one in having] if is_one_wheel and len(spelled) == len(having) else [having]
