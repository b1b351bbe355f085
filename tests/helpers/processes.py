"""Processes that a test has begun."""

from __future__ import annotations

import os

__all__ = ["is_without_forks"]


def is_without_forks() -> bool:
    """Return whether no fork of ours is left, at work or dead."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False
