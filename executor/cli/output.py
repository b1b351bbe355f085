"""The one way to print text: whatever it holds, a terminal obeys nothing in it."""

from __future__ import annotations

import os
import sys

import click

from schemas.text import json_text, one_line, printable
from schemas.urls import hidden_in

__all__ = [
    "VERBOSITY",
    "can_print",
    "echo",
    "echo_document",
    "echo_json",
    "has_colours",
    "is_quiet",
    "is_verbose",
]

VERBOSITY = "lockstream.verbosity"
"""Key in the ``meta`` of the click context: -1 after ``--quiet``, 1 after ``--verbose``."""


TONES = {"green": "32", "yellow": "33", "red": "31"}
"""Colours of a terminal (ECMA-48, SGR)."""


def echo(text: str = "", *, err: bool = False, tone: str | None = None) -> None:
    """Print ``text`` and a line feed to standard output or, with ``err``, to standard error; in the
    colour ``tone``, if colours are wanted there.

    What standard error has no space for is lost, and nothing else. Raises BrokenPipeError if who
    reads is gone, and OSError for standard output.
    """
    shown = printable(text)
    is_coloured = tone is not None and has_colours(err=err)
    if tone is not None and is_coloured:
        shown = f"\x1b[{TONES[tone]}m{shown}\x1b[0m"
    try:
        click.echo(shown, err=err, color=is_coloured or None)
    except BrokenPipeError:
        raise
    except OSError:
        if not err:
            raise


def has_colours(*, err: bool) -> bool:
    """Return whether a stream shows colours: FORCE_COLOR and NO_COLOR decide, else whether it is a
    terminal (https://no-color.org, https://force-color.org).
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    stream = sys.stderr if err else sys.stdout
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def can_print(text: str) -> bool:
    """Return whether the encoding of standard output has all characters of ``text``; others are
    printed as escapes.
    """
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def echo_document(text: str) -> None:
    """Print a whole file to standard output: as it is, unless that is a terminal."""
    if sys.stdout.isatty():
        text = "".join(f"{one_line(line)}\n" for line in text.splitlines())
    click.echo(text, nl=False)


def echo_json(content: object, *, indent: int | None = 2) -> None:
    """Print ``content`` as JSON to standard output, without the secrets of addresses."""
    click.echo(json_text(hidden_in(content), indent=indent))


def is_quiet() -> bool:
    """Return whether the user gave ``--quiet``: results, warnings and errors only."""
    return _verbosity() < 0


def is_verbose() -> bool:
    """Return whether the user gave ``--verbose``."""
    return _verbosity() > 0


def _verbosity() -> int:
    context = click.get_current_context(silent=True)
    return int(context.meta.get(VERBOSITY, 0)) if context else 0
