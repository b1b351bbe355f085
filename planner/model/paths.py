"""Paths."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["relative_path"]


def relative_path(path: str, folder: str) -> str:
    """``path`` as a lock in ``folder`` has it."""
    return Path(os.path.relpath(path, folder or os.curdir)).as_posix()
