"""Paths as a lock records them."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["relative_path"]


def relative_path(path: str, folder: str) -> str:
    """Return ``path`` relative to ``folder``, with slashes on every platform."""
    return Path(os.path.relpath(path, folder or os.curdir)).as_posix()
