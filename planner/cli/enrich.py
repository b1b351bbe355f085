"""The command ``enrich``."""

from __future__ import annotations

import os

import click

from executor import Keychain, echo, echo_document, is_quiet, lock_argument, read_input
from planner.index.client import IndexClient
from planner.inputs.errors import UnreadableInput
from planner.lock.enrich import enrich as enrich_text
from planner.lock.writer import write_atomically
from schemas.errors import InvalidLockText, UsageError

__all__ = ["enrich"]


@click.command("enrich")
@lock_argument
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write it (default: the lock itself); - is "
    "standard output.",
)  # fmt: skip
def enrich(lock: str, output: str | None) -> None:
    """Add the unpacked size of each wheel to a lock that another tool wrote.

    The sizes are read from the indexes, a few kilobytes of each wheel. What is installed stays the
    same.
    """
    try:
        text = read_input(lock).decode()
    except (OSError, UnicodeDecodeError) as error:
        problem = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise UnreadableInput(lock, problem or str(error)) from None
    try:
        with IndexClient(keychain=Keychain(environment=os.environ)) as client:
            enriched, count = enrich_text(text, client)
    except InvalidLockText as error:
        error.path = lock
        raise
    if output == "-":
        echo_document(enriched)
    else:
        try:
            write_atomically(output or lock, enriched)
        except OSError as error:
            raise UsageError(f"{output or lock} cannot be written: {error.strerror}") from None
    if not is_quiet():
        echo(f"recorded the sizes of {count} wheels", err=True)
