"""The text of a subset, made from the files that it depends on, and compared with what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from packaging.pylock import Package, Pylock

from planner.inputs.inputs import Inputs
from planner.inputs.project_document import read_document
from planner.inputs.provenance import Provenance, read_inputs
from planner.lock.reader import parse_lock, read_lock
from planner.lock.writer import render_lock
from planner.review.recorded import foreign_text_hidden, recorded_table, refuse_special_files
from planner.review.subset import subset_of
from planner.review.subset_block import Folders
from planner.review.subset_choice import SubsetOrigin
from schemas.builds import project_name
from schemas.data_class import frozen
from schemas.errors import LockstreamError
from schemas.text import enumerate_some, titled

__all__ = ["MadeSubset", "find_subset_problems", "make_subset"]


@frozen(kw_only=True)
class MadeSubset:
    """A subset, and the lock that it is made of."""

    lock: Pylock
    of: Pylock
    text: str


def make_subset(origin: SubsetOrigin, folder: str) -> MadeSubset:
    """Return the subset of ``origin`` for a file in ``folder``. Nothing is written.

    Raises what ``read_lock``, ``read_inputs`` and ``subset_of`` raise.
    """
    lock = read_lock(origin.path)
    places = Folders(os.path.dirname(os.path.abspath(origin.path)), os.path.abspath(folder))
    subset = subset_of(lock, origin, places, _project_inputs(lock, origin))
    return MadeSubset(lock=subset, of=lock, text=render_lock(subset))


def find_subset_problems(lock: Pylock, path: str, origin: SubsetOrigin) -> tuple[str, ...]:
    """Return how the subset ``lock`` at ``path`` differs from what its ``origin`` gives now, a
    sentence each; empty if the two have the same bytes.

    Raises what ``make_subset`` raises.
    """
    made = make_subset(origin, os.path.dirname(os.path.abspath(path)))
    now = parse_lock(made.text)
    if render_lock(lock) == made.text:
        return ()
    return tuple(_differences(lock, now, origin.path)) or ("its header differs",)


def _differences(old: Pylock, new: Pylock, of: str) -> Iterator[str]:
    before, after = (_versions(one) for one in (old, new))
    if gone := before.keys() - after.keys():
        yield f"{of} does not select {enumerate_some(sorted(gone))} any more"
    if added := after.keys() - before.keys():
        yield f"{of} selects {enumerate_some(sorted(added))} too"
    blocks = {_named(one): one for one in old.packages}
    changed = [_named(one) for one in new.packages if blocks.get(_named(one), one) != one]
    if changed:
        yield f"{of} has other data of {enumerate_some(changed)}"


def _versions(lock: Pylock) -> dict[str, Package]:
    return {_named(one): one for one in lock.packages}


def _named(package: Package) -> str:
    return titled(package.name, package.version)


def _project_inputs(lock: Pylock, origin: SubsetOrigin) -> Inputs | None:
    """Return what the projects of the choice require, and the other projects of the lock that they
    require; None if the choice names none.
    """
    named = origin.choice.projects
    if not named:
        return None
    folder = os.path.dirname(origin.path)
    recorded = Provenance.from_table(recorded_table(lock, "inputs"), folder) or Provenance()
    siblings = _siblings(recorded)
    folders = list(named)
    while True:
        sources = Provenance(
            projects=tuple(folders),
            overrides=recorded.overrides,
            excludes=recorded.excludes,
            all_extras=True,
            all_groups=True,
        )
        refuse_special_files(sources)
        with foreign_text_hidden(origin.path):
            inputs = read_inputs(sources, environment=os.environ)
        required = {siblings.get(one.name, "") for one in inputs.requirements} - {""}
        if not (more := sorted(required.difference(folders))):
            return _without_scopes(inputs, folders[len(named) :])
        folders += more


def _siblings(recorded: Provenance) -> dict[str, str]:
    """Return the folders of the projects of a lock, by their names."""
    found = {}
    for folder in recorded.projects:
        with suppress(LockstreamError):
            if name := project_name(read_document(folder)[1]):
                found[str(name)] = folder
    return found


def _without_scopes(inputs: Inputs, folders: Sequence[str]) -> Inputs:
    """Return ``inputs`` without the extras and groups of the projects in ``folders``: they are
    there as others require them.
    """
    paths = tuple(f"{read_document(folder)[0]} " for folder in folders)
    kept = (one for one in inputs.requirements if not (one.scope and one.origin.startswith(paths)))
    return replace(inputs, requirements=tuple(kept)) if paths else inputs
