"""Take the wheels that other machines built for a lock into its wheelhouse."""

from __future__ import annotations

import os
from collections.abc import Sequence

from packaging.pylock import Pylock

from planner.builds.fragment import Fragment
from planner.builds.replaced_file import replaced
from planner.builds.unit import BuildUnit, units_of
from planner.builds.wheel_store import WheelStore, find_all
from planner.lock.built import KnownBuild
from planner.lock.writer import write_atomically
from schemas.data_class import frozen

__all__ = ["Adoption"]


@frozen(kw_only=True)
class Adoption:
    """The wheels that stores have for the builds that one lock leaves to others."""

    lock: Pylock
    folder: str
    """The folder of the lock."""
    stores: Sequence[WheelStore]
    wheelhouse: str
    """Relative to that folder."""
    wheelhouse_url: str | None = None
    """The address at which the wheelhouse will be served."""

    def take(self) -> tuple[KnownBuild, ...]:
        """Copy the wheels that are there, with the locks of their build requirements; return their
        builds. One wheel that suits several targets is taken once.

        Raises FragmentUnusable, OSError, and what ``units_of`` raises.
        """
        units = units_of(self.lock)
        found = find_all(self.stores, units)
        taken: dict[str, KnownBuild] = {}
        for unit in units:
            if unit.key in found:
                fragment, store = found[unit.key]
                if fragment.wheel not in taken:
                    taken[fragment.wheel] = self._take(unit, fragment, store)
        return tuple(taken.values())

    def _take(self, unit: BuildUnit, fragment: Fragment, store: WheelStore) -> KnownBuild:
        house = os.path.join(self.folder, self.wheelhouse)
        path = os.path.join(house, fragment.wheel)
        with replaced(path) as part:
            os.makedirs(house, exist_ok=True)
            store.fetch(fragment, part)
        record = fragment.record
        if record.lock is not None and fragment.build_lock is not None:
            write_atomically(os.path.join(self.folder, record.lock), fragment.build_lock)
        (package,) = (
            one
            for one in self.lock.packages
            if one.name == unit.name and one.version in {None, unit.version}
        )
        prefix = self.wheelhouse_url
        return KnownBuild(
            folder=self.folder,
            name=unit.name,
            record=record,
            path=path,
            url=f"{prefix.rstrip('/')}/{fragment.wheel}" if prefix else None,
            sha256=fragment.sha256,
            sdist=package.sdist,
        )
