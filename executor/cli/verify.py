"""Verify."""

from __future__ import annotations

from typing import Any

import click

from executor.cli.options import (
    _environment,
    _environment_options,
    _json_option,
    _lock_argument,
    _print,
    _selection_options,
    _wanted,
)
from schemas.errors import ExitCode

__all__ = ["verify"]


@click.command()
@_lock_argument
@_environment_options
@_selection_options
@_json_option
def verify(lock: str, as_json: bool, **where_and_what: Any) -> None:
    """Tell whether an environment is what LOCK (default: pylock.toml) says, file by file.

    Exit status 1 if anything is missing, changed or extra.
    """
    from executor.install.decide import verify_environment  # noqa: PLC0415

    environment = _environment(**where_and_what)
    packages, found = verify_environment(lock, environment, wanted=_wanted(**where_and_what))
    drifts = list(found)
    summary = f"{packages} packages verified, {len(drifts)} differences"
    _print([drift.to_json() for drift in drifts] if as_json else None, [*map(str, drifts), summary])
    if drifts:
        raise click.exceptions.Exit(ExitCode.REFUSED)
