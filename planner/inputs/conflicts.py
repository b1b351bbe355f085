"""Extras and dependency groups that exclude each other.

Source: https://docs.astral.sh/uv/reference/settings/#conflicts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from planner.inputs.conditions import read_scope
from planner.model.dependencies import Scope

__all__ = ["Conflicts", "read_conflicts", "with_including"]


Conflicts = tuple[frozenset[Scope], ...]
"""Sets of which an installation selects at most one each."""


def read_conflicts(value: object) -> Conflicts:
    """Return the sets that a list of lists of tables names. Raise ValueError, which says what is
    wrong.
    """
    if not isinstance(value, list) or not all(isinstance(one, list) for one in value):
        raise ValueError("is not a list of lists of tables")
    return tuple(frozenset(map(_read_one, one)) for one in value)


def _read_one(table: object) -> Scope:
    if not isinstance(table, Mapping) or not table.keys() <= {"extra", "group", "package"}:
        raise ValueError("each entry is a table of extra or group")
    if (scope := read_scope(table)) is None:
        raise ValueError("each entry names an extra or a group")
    return scope


def with_including(conflicts: Conflicts, included: Mapping[Scope, Collection[Scope]]) -> Conflicts:
    """Return ``conflicts`` with those of the groups that include one of them, and of what requires
    one of their extras. ``included`` is what each includes, directly or not.
    """

    def more() -> Iterator[frozenset[Scope]]:
        for conflict in conflicts:
            parts = {scope: conflict.intersection(each) for scope, each in included.items()}
            including = sorted(scope for scope, part in parts.items() if part)
            for scope in including:
                yield conflict - parts[scope] | {scope}
            for one, other in combinations(including, 2):
                if len(parts[one] | parts[other]) > 1:
                    yield frozenset({one, other})

    return tuple(dict.fromkeys((*conflicts, *more())))
