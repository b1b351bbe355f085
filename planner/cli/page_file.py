"""Pages and Markdown that commands write for people to read."""

from __future__ import annotations

from collections.abc import Iterable

from executor import check_output_file, echo
from planner.lock.writer import write_atomically
from schemas.errors import NotWritten

__all__ = ["print_markdown", "write_page"]


def print_markdown(text: str) -> None:
    """Print Markdown. Each line is printed by itself: lines of one message would be indented."""
    for line in text.splitlines():
        echo(line)


def write_page(option: str, path: str, text: str, inputs: Iterable[str]) -> None:
    """Write a page of ``inputs``, which may be files. Raise UsageError if it would replace one of
    them or cannot be written.
    """
    check_output_file(option, path, inputs)
    try:
        write_atomically(path, text)
    except OSError as error:
        raise NotWritten(
            f"{option} {path}: cannot be written",
            error,
            hint="name a file in a folder that exists and may be written to",
        ) from None
