"""The outcome of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from planner.lock.reader import parse_lock
from planner.model.environments import MarkerEnvironment
from planner.review.cost import Cost, cost_of
from planner.review.diff import Change, compare

__all__ = ["PlannedLock"]


@dataclass(frozen=True, kw_only=True)
class PlannedLock:
    """A lock that a plan wrote or kept; the caller of the plan owns it."""

    text: str
    path: str
    """The path of the lock; ``-`` if it was not written."""
    environments: Sequence[MarkerEnvironment]
    is_changed: bool
    """Whether the file was written; False if it was current."""
    notes: Sequence[str] = ()
    """What the plan changed of the options and inputs of the lock, a line each, and what decided
    the targets."""
    parsed: Pylock | None = None
    previous: Pylock | None = None
    """The lock that was there before, if there was one and the plan began with it."""

    @cached_property
    def lock(self) -> Pylock:
        """The content of the lock."""
        # Reading it takes a third of the time of a remembered answer, so it is done late.
        return self.parsed or parse_lock(self.text)

    def without(self, names: Sequence[str]) -> list[str]:
        """Return which of the names of projects no package has, before or now: they may be
        mistyped.
        """
        if not names:
            return []
        locks = [self.lock, *([self.previous] if self.previous else [])]
        known = {package.name for lock in locks for package in lock.packages}
        return [name for name in names if canonicalize_name(name) not in known]

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs from the lock that was there before; nothing if there was none."""
        return compare(self.previous, self.lock) if self.previous and self.is_changed else ()

    @cached_property
    def costs(self) -> list[Cost]:
        """What an execution takes on each target, with all extras and dependency groups."""
        extras, groups = self.lock.extras or (), self.lock.dependency_groups or ()
        return [
            cost_of(self.lock, target, extras=extras, groups=groups)
            for environment in self.environments
            for target in environment.targets
        ]
