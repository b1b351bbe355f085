"""Extras and dependency groups that exclude each other.

Source: https://docs.astral.sh/uv/reference/settings/#conflicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from packaging.utils import NormalizedName

from planner.inputs.conditions import read_scope
from planner.model.dependencies import Scope

__all__ = ["Conflicts", "read_conflicts", "with_including_groups"]


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


def with_including_groups(
    conflicts: Conflicts, included: Mapping[NormalizedName, Sequence[NormalizedName]]
) -> Conflicts:
    """Return ``conflicts`` with those of the groups that include one of them. ``included`` are the
    groups that each group includes, those that these include among them.
    """

    def more() -> Iterator[frozenset[Scope]]:
        for conflict in conflicts:
            for name, groups in sorted(included.items()):
                inner = {Scope("group", one) for one in groups} & conflict
                if inner:
                    yield conflict - inner | {Scope("group", name)}

    return tuple(dict.fromkeys((*conflicts, *more())))
