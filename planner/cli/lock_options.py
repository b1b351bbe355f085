"""Options that several commands on an existing lock share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from packaging.pylock import Pylock

from executor import echo, section
from planner.lock.reader import read_lock
from schemas.lock import newer_remark

__all__ = [
    "open_lock",
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
    return section(
        "Targets",
        click.option(
            "--python-version",
            "python_versions",
            multiple=True,
            metavar="VERSION",
            help="For this Python only, such as 3.12. Default: the targets of the lock. "
            "Repeatable.",
        ),
        click.option(
            "--platform",
            "platforms",
            multiple=True,
            metavar="TAG",
            help="For this platform only, such as linux. Repeatable.",
        ),
    )(function)
