"""The command ``enrich``."""

from __future__ import annotations

import os

import click

from executor import Keychain, echo, echo_document, is_quiet, lock_argument, read_input
from planner.index.client import IndexClient
from planner.inputs.errors import UnreadableInput
from planner.lock.enrich import enrich as enrich_text
from planner.lock.lock_path import lock_path
from planner.lock.reader import read_lock
from planner.lock.writer import check_output, write_lock
from schemas.errors import InvalidLockText, lock_hint
from schemas.text import counted

__all__ = ["enrich"]


@click.command("enrich")
@lock_argument
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write it (default: the lock itself); - is "
    "standard output.",
)  # fmt: skip
def enrich(lock: str, output: str | None) -> None:
    """Add the unpacked size of each wheel to LOCK (default: pylock.toml) of another tool.

    The sizes are read from the indexes, a few kilobytes of each wheel. What is installed stays the
    same.
    """
    try:
        text = read_input(lock).decode()
    except OSError as error:
        raise UnreadableInput.because(lock, error, lock_hint(lock, error)) from None
    except UnicodeDecodeError:
        raise UnreadableInput(
            lock, "not UTF-8 text", "TOML files are UTF-8 text; save the file in that encoding"
        ) from None
    if output != "-":
        check_output(output or lock)
        _check_replaceable(output, lock)
    try:
        with IndexClient(keychain=Keychain(environment=os.environ)) as client:
            enriched, count = enrich_text(text, client, os.path.dirname(lock))
    except InvalidLockText as error:
        error.path = lock
        raise
    if output == "-":
        echo_document(enriched)
    else:
        write_lock(output or lock, enriched)
    if not is_quiet():
        echo(f"recorded the sizes of {counted(count, 'wheel')}", err=True)


def _check_replaceable(output: str | None, lock: str) -> None:
    """Raise UsageError if a lock cannot be called ``output``, and what ``read_lock`` raises if that
    is a file that is no lock. The ``lock`` itself may have any name.
    """
    if output is None:
        return
    if not os.path.exists(output):
        lock_path(output)
    elif not os.path.samefile(output, lock):
        read_lock(lock_path(output))
