"""Files that commands write for people to open."""

from __future__ import annotations

from planner.lock.writer import write_atomically
from schemas.errors import UsageError

__all__ = ["write_page"]


def write_page(option: str, path: str, text: str) -> None:
    """Write a page, or raise UsageError if it cannot be written."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UsageError(
            f"{option} {path}: cannot be written: {error.strerror}",
            hint="name a file in a folder that exists and may be written to",
        ) from None
