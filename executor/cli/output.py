"""The one way to print text: whatever it holds, a terminal obeys nothing in it."""

from __future__ import annotations

import json

import click

from schemas.text import printable

__all__ = ["echo", "echo_json"]


def echo(text: str = "", *, err: bool = False) -> None:
    """Print ``text`` and a line feed to standard output or, with ``err``, to standard error."""
    click.echo(printable(text), err=err)


def echo_json(content: object, *, indent: int | None = 2) -> None:
    """Print ``content`` as JSON to standard output; json escapes what a terminal would obey."""
    click.echo(json.dumps(content, indent=indent))
