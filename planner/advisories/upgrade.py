"""The commands that choose other versions for a lock."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.pylock import Pylock

from planner.review.recorded import is_planned
from planner.review.subset_choice import SubsetOrigin
from schemas.text import first_plan, lock_command

__all__ = ["upgrade_commands"]


def upgrade_commands(lock: Pylock, path: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the commands that choose the versions of the packages ``names`` in the ``lock`` at
    ``path`` again, in their order; none if there are no names.
    """
    options = "".join(f" --upgrade-package {name}" for name in names)
    if not options:
        return ()
    if origin := SubsetOrigin.of(lock, path):
        return f"{lock_command('plan', origin.path)}{options}", origin.command(path)
    plan = lock_command("plan", path) if is_planned(lock) else first_plan(path)
    return (f"{plan}{options}",)
