"""Pages and Markdown that commands write for people to read."""

from __future__ import annotations

from executor import echo
from planner.lock.writer import write_atomically
from schemas.errors import UsageError

__all__ = ["print_markdown", "write_page"]


def print_markdown(text: str) -> None:
    """Print Markdown. Each line is printed by itself: lines of one message would be indented."""
    for line in text.splitlines():
        echo(line)


def write_page(option: str, path: str, text: str) -> None:
    """Write a page, or raise UsageError if it cannot be written."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UsageError(
            f"{option} {path}: cannot be written: {error.strerror}",
            hint="name a file in a folder that exists and may be written to",
        ) from None
