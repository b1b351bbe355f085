"""Folders: make one with all above it, and take away again what was made for nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["made_folder"]


@contextmanager
def made_folder(path: str) -> Iterator[None]:
    """Make ``path``; if the body fails, remove those folders of it that were made and are empty.

    Raises OSError.
    """
    made = []
    missing = path
    while not os.path.lexists(missing):
        made.append(missing)
        missing = os.path.dirname(missing)
    try:
        os.makedirs(path, exist_ok=True)
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):
                os.rmdir(folder)
        raise
