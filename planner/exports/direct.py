"""The project that a lock is of, and what it requires itself, as its inputs say now."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from packaging.pylock import Pylock
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.project_document import is_script, read_document
from planner.review.recorded import is_planned, recorded_inputs, recorded_sources
from schemas.data_class import frozen

__all__ = ["Direct", "find_direct"]


@frozen(kw_only=True)
class Direct:
    """What the inputs of a lock require themselves."""

    names: frozenset[NormalizedName]
    """Projects that they name, in any environment."""
    project: str = ""
    """The name of the only project among them; empty if there is none, or several."""
    version: str = ""
    """The version of that project, if its ``pyproject.toml`` states it."""


def find_direct(
    lock: Pylock, path: str, variables: Mapping[str, AbstractSet[str]]
) -> Direct | None:
    """Return what the inputs of the lock at ``path`` require with the extras and groups in
    ``variables``; None if the lock does not record its inputs.

    Raises what ``recorded_inputs`` raises if they cannot be read any more.
    """
    if not is_planned(lock):
        return None
    inputs = recorded_inputs(lock, path)
    chosen = {
        (variable, canonicalize_name(name))
        for variable, names in variables.items()
        for name in names
    }
    names = frozenset(
        one.name
        for one in inputs.requirements
        if one.scope is None or (one.scope.variable, one.scope.name) in chosen
    )
    places = recorded_sources(lock, path).projects
    project, version = _stated(places[0]) if len(places) == 1 else ("", "")
    return Direct(names=names, project=project, version=version)


def _stated(place: str) -> tuple[str, str]:
    """Return the name and the version that the project in ``place`` states."""
    if is_script(place):
        return "", ""
    table = read_document(place)[1].get("project")
    stated = [table.get(key) if isinstance(table, Mapping) else None for key in ("name", "version")]
    name, version = (one if isinstance(one, str) else "" for one in stated)
    return name, version if name else ""
