"""Builds of one source for several targets, of which one goes ahead: its wheel may suit them all.

Only a build tells whether its wheel is pure. Most of those that make a pure one take seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from planner.builds.claim import HOLD_SECONDS
from planner.builds.unit import BuildUnit

__all__ = ["Relatives"]


class Relatives:
    """The builds that wait for the one of their family that goes ahead."""

    def __init__(self, units: Sequence[BuildUnit]) -> None:
        self._held: dict[str, list[BuildUnit]] = {}
        """By family."""
        self._since: dict[str, float] = {}
        families: dict[str, list[BuildUnit]] = defaultdict(list)
        for unit in units:
            families[unit.family].append(unit)
        self.first: list[BuildUnit] = []
        """Those that begin at once, in the order of ``units``."""
        for family, (leader, *others) in families.items():
            self.first.append(leader)
            if leader.record and not all(one.is_served_by(leader.record.wheel) for one in others):
                self.first.extend(others)  # it is known that each makes a wheel of its own
            elif others:
                self._held[family] = others

    def __bool__(self) -> bool:
        return bool(self._held)

    def begun(self, unit: BuildUnit, now: float) -> None:
        """Note that ``unit`` has begun at ``now`` (seconds)."""
        self._since.setdefault(unit.family, now)

    def overdue(self, now: float) -> list[BuildUnit]:
        """Return, once, those that have waited long enough at ``now`` (seconds)."""
        late = [one for one in self._held if now - self._since.get(one, now) > HOLD_SECONDS]
        return [unit for family in late for unit in self._held.pop(family)]

    def after(self, unit: BuildUnit, wheel: str | None) -> list[BuildUnit]:
        """Return those that begin after ``unit`` has ended with ``wheel``, a file name, or None if
        it failed: all that this wheel does not suit.
        """
        held = self._held.pop(unit.family, [])
        return [one for one in held if wheel is None or not one.is_served_by(wheel)]
