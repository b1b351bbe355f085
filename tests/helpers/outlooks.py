"""Look for newer versions of the lock in the working directory."""

from __future__ import annotations

from helpers.index import Index
from helpers.planning import plan_here
from planner.api import find_outdated
from planner.review.standing import Outlook, Standing

__all__ = ["locked_here", "outlook_here", "standing_of"]


def locked_here(index: Index, *lines: str, arguments: tuple[str, ...] = ()) -> None:
    """Plan ``lines``; what is added to ``index`` afterwards is newer than the lock."""
    assert plan_here(index, *arguments, lines=lines) == 0


def outlook_here() -> Outlook:
    """Return the outlook of the lock in the working directory."""
    return find_outdated("pylock.toml")


def standing_of(name: str) -> Standing:
    """Return the standing of one project of that lock."""
    return next(one for one in outlook_here().standings if one.name == name)
