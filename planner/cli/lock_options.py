"""Options that several commands on an existing lock share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import click

from schemas.errors import UsageError

__all__ = [
    "choose_scopes",
    "scope_options",
    "target_options",
]


F = TypeVar("F", bound=Callable[..., Any])


def target_options(function: F) -> F:
    """Add the options that name targets; the default is the targets that the lock records."""
    for option in (
        click.option(
            "--platform", "platforms", multiple=True, metavar="TAG", help="For this platform."
        ),
        click.option(
            "--python-version",
            "python_versions",
            multiple=True,
            metavar="VERSION",
            help="For this Python. Default: the targets of the lock.",
        ),
    ):
        function = option(function)
    return function


def scope_options(function: F) -> F:
    """Add the options that choose extras and dependency groups of a lock."""
    for option in (
        click.option("--all-groups", is_flag=True, help="With all dependency groups."),
        click.option("--group", "groups", multiple=True, metavar="NAME", help="With this group."),
        click.option("--all-extras", is_flag=True, help="With all extras."),
        click.option("--extra", "extras", multiple=True, metavar="NAME", help="With this extra."),
    ):
        function = option(function)
    return function


def choose_scopes(
    known: Sequence[str] | None, named: Collection[str], *, everything: bool, kind: str
) -> tuple[str, ...]:
    """Return which of the extras or groups of a lock are chosen. Raises UsageError."""
    for name in named:
        if name not in (known or ()):
            raise UsageError(
                f"the lock has no {kind} {name!r}",
                hint=f"it has {', '.join(known or ()) or 'none'}",
            )
    return tuple(known or ()) if everything else tuple(named)
