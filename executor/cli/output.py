"""The one way to print text: whatever it holds, a terminal obeys nothing in it."""

from __future__ import annotations

import json

import click

from schemas.text import printable
from schemas.urls import hidden_in

__all__ = ["VERBOSITY", "echo", "echo_json", "is_quiet", "is_verbose"]

VERBOSITY = "lockstream.verbosity"
"""Key in the ``meta`` of the click context: -1 after ``--quiet``, 1 after ``--verbose``."""


def echo(text: str = "", *, err: bool = False) -> None:
    """Print ``text`` and a line feed to standard output or, with ``err``, to standard error."""
    click.echo(printable(text), err=err)


def echo_json(content: object, *, indent: int | None = 2) -> None:
    """Print ``content`` as JSON to standard output; json escapes what a terminal would obey."""
    click.echo(json.dumps(hidden_in(content), indent=indent))


def is_quiet() -> bool:
    """Return whether the user gave ``--quiet``: results, warnings and errors only."""
    return _verbosity() < 0


def is_verbose() -> bool:
    """Return whether the user gave ``--verbose``."""
    return _verbosity() > 0


def _verbosity() -> int:
    context = click.get_current_context(silent=True)
    return int(context.meta.get(VERBOSITY, 0)) if context else 0
