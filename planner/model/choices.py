"""The choices among extras and groups that exclude each other.

Of a set such as ``cpu`` and ``cuda`` an installation selects one or none, so both need not fit
together: each choice has an answer of its own, as each environment has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from planner.model.dependencies import Scope
from planner.model.environments import MarkerEnvironment
from schemas.errors import UsageError

__all__ = ["MAX_CHOICES", "with_choices"]


MAX_CHOICES = 32
"""Of one environment. Each is solved, and a marker is searched for in them."""


def with_choices(
    environments: Iterable[MarkerEnvironment], conflicts: Iterable[Collection[Scope]]
) -> tuple[MarkerEnvironment, ...]:
    """Return ``environments`` with each choice among ``conflicts``, which are sets of extras and
    groups of which at most one can be selected. Raise UsageError if there are too many.
    """
    sets = [frozenset(one) for one in conflicts]
    scopes = sorted(frozenset().union(*sets))
    choices = []
    for choice in _choices(scopes, sets, frozenset()):
        choices.append(choice)
        if len(choices) > MAX_CHOICES:
            raise UsageError(
                f"the conflicts leave more than {MAX_CHOICES} choices of extras and groups",
                hint="put what excludes each other into fewer sets, or plan some of them in a "
                "lock of their own (--extra, --group, -o)",
            )
    return tuple(
        replace(one, chosen=choice, excluded=frozenset(scopes) - choice) if scopes else one
        for one in environments
        for choice in choices
    )


def _choices(
    scopes: list[Scope], sets: Collection[frozenset[Scope]], taken: frozenset[Scope]
) -> Iterator[frozenset[Scope]]:
    """Yield each subset of ``scopes``, with ``taken``, that has at most one of each set."""
    if not scopes:
        yield taken
        return
    first, *rest = scopes
    yield from _choices(rest, sets, taken)
    if not any(first in one and one & taken for one in sets):
        yield from _choices(rest, sets, taken | {first})
