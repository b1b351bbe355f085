"""What commands on an existing lock begin with: the lock, and a warning if it is newer."""

from __future__ import annotations

from packaging.pylock import Pylock

from executor import echo
from planner.lock.reader import read_lock
from schemas.lock import newer_remark

__all__ = [
    "open_lock",
    "warn_of_newer",
]


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
