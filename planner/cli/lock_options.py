"""Options that several commands on an existing lock share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from packaging.pylock import Pylock

from executor import SelectOptions, echo, option_group, scope_options
from planner.lock.reader import read_lock
from schemas.lock import newer_remark

__all__ = [
    "open_lock",
    "select_options",
    "target_options",
    "warn_of_newer",
]


F = TypeVar("F", bound=Callable[..., Any])


def open_lock(path: str) -> Pylock:
    """Return the lock at ``path``, and warn if it is newer than this program. Raises what
    ``read_lock`` raises.
    """
    lock = read_lock(path)
    warn_of_newer(lock, path)
    return lock


def warn_of_newer(lock: Pylock, path: str) -> None:
    """Warn if the ``lock`` at ``path`` is of a newer minor version."""
    if remark := newer_remark(lock, path):
        echo(f"warning: {remark}", err=True)


def target_options(function: F) -> F:
    """Add the options that name targets; the default is the targets that the lock records."""
    for option in (
        click.option(
            "--platform", "platforms", multiple=True, metavar="TAG", help="For this platform."
        ),
        click.option(
            "--python-version",
            "python_versions",
            multiple=True,
            metavar="VERSION",
            help="For this Python. Default: the targets of the lock.",
        ),
    ):
        function = option(function)
    return function


def _selection(*, extra: Any, group: Any, no_default_groups: bool, **given: Any) -> SelectOptions:
    return SelectOptions(
        extras=frozenset(extra),
        groups=frozenset(group),
        default_groups=not no_default_groups,
        **given,
    )


select_options = option_group("select", "Selection", _selection, scope_options)
"""Adds the options of an execution that select extras and groups, as one value."""
