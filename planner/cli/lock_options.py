"""What the commands that look at a lock have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

import click
from packaging.pylock import Pylock

from planner.inputs.inputs import Inputs
from planner.inputs.provenance import Provenance, read_inputs
from planner.inputs.targets import choose_targets
from planner.model.environments import recorded_targets
from schemas.errors import UsageError
from schemas.hints import TOOL_NAME
from schemas.target import Target

__all__ = [
    "choose_scopes",
    "inputs_of",
    "json_option",
    "lock_argument",
    "scope_options",
    "sources_of",
    "target_options",
    "targets_of",
]


F = TypeVar("F", bound=Callable[..., Any])


lock_argument = click.argument("lock", default="pylock.toml", metavar="[LOCK]")


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def target_options(function: F) -> F:
    """The options that name targets; without them, those that the lock was planned for."""
    for option in (
        click.option(
            "--platform", "platforms", multiple=True, metavar="TAG", help="For this platform."
        ),
        click.option(
            "--python-version",
            "python_versions",
            multiple=True,
            metavar="VERSION",
            help="For this Python. Default: what the lock was planned for.",
        ),
    ):
        function = option(function)
    return function


def scope_options(function: F) -> F:
    """The options that choose extras and dependency groups of a lock."""
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
    """Of the extras or groups that a lock has, those that are chosen. Raises UsageError."""
    for name in named:
        if name not in (known or ()):
            raise UsageError(
                f"the lock has no {kind} {name!r}",
                hint=f"it has {', '.join(known or ()) or 'none'}",
            )
    return tuple(known or ()) if everything else tuple(named)


def targets_of(
    lock: Pylock, python_versions: Sequence[str], platforms: Sequence[str]
) -> tuple[Target, ...]:
    """The targets that are named, else those of ``lock``, else this interpreter."""
    recorded = recorded_targets(lock)
    if python_versions or platforms or not recorded:
        return choose_targets(python_versions, platforms)
    return recorded


def inputs_of(lock: Pylock, path: str) -> Inputs:
    """What the inputs of the lock at ``path`` ask for now.

    Raises UsageError where the lock does not tell where they are, and what ``read_inputs`` does.
    """
    return read_inputs(sources_of(lock, path), environment=os.environ)


def sources_of(lock: Pylock, path: str) -> Provenance:
    """Where the inputs of the lock at ``path`` are. Raises UsageError where it does not tell."""
    table = (lock.tool or {}).get(TOOL_NAME)
    told = table.get("inputs") if isinstance(table, Mapping) else None
    sources = Provenance.from_table(told, os.path.dirname(path))
    if sources is None:
        raise UsageError(
            f"{path} does not tell where its requirements are",
            hint="only locks that lockstream wrote from files tell",
        )
    return sources
