"""What a lock records of its own making: its inputs, the options of its plan, and its targets."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from packaging.pylock import Package, Pylock

from planner.index.indexes import parse_index
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest
from planner.inputs.pip_config import PUBLIC_INDEX
from planner.inputs.provenance import Provenance, read_inputs
from planner.inputs.targets import choose_targets
from planner.review.subset_choice import SubsetOrigin
from schemas.errors import UsageError
from schemas.hints import tool_value
from schemas.lock import recorded_targets
from schemas.target import Target
from schemas.text import first_plan

__all__ = [
    "InputsNotRecorded",
    "foreign_text_hidden",
    "is_inside",
    "is_planned",
    "recorded_files",
    "recorded_indexes",
    "recorded_inputs",
    "recorded_places",
    "recorded_sources",
    "recorded_table",
    "refuse_special_files",
    "targets_of",
]


class InputsNotRecorded(UsageError):
    """A lock does not say where its inputs are."""


def recorded_table(owner: Pylock | Package, *keys: str) -> Mapping[str, Any]:
    """Return a table of ours in a lock or a package; empty if it is not there."""
    table = tool_value(owner.tool, *keys)
    return table if isinstance(table, Mapping) else {}


def targets_of(
    lock: Pylock, python_versions: Sequence[str] = (), platforms: Sequence[str] = ()
) -> tuple[Target, ...]:
    """Return the targets that are named, else those of ``lock``, else the running interpreter."""
    recorded = recorded_targets(lock)
    if python_versions or platforms or not recorded:
        return choose_targets(python_versions, platforms)
    return recorded


def recorded_inputs(lock: Pylock, path: str) -> Inputs:
    """Read the inputs of the lock at ``path`` as they are now.

    Raises InputsNotRecorded, UsageError if one is not a file, and what ``read_inputs`` raises.
    """
    sources = recorded_sources(lock, path)
    refuse_special_files(sources)
    with foreign_text_hidden(path):
        return read_inputs(sources, environment=os.environ)


def refuse_special_files(sources: Provenance, more: Sequence[str] = ()) -> None:
    """Raise UsageError if a lock names a device, a pipe or a socket as one of its inputs; ``more``
    are paths that no input names.
    """
    named = (
        *(*sources.projects, *sources.requirements, *sources.constraints, *sources.overrides),
        *more,
    )
    for place in named:
        with suppress(OSError, ValueError):
            mode = os.stat(place).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise UsageError(
                    f"the lock names {place} as an input, which is not a regular file",
                    hint="name the inputs on the command line: plan -r FILE",
                )


@contextmanager
def foreign_text_hidden(path: str) -> Iterator[None]:
    """Let errors in lines of inputs that the lock at ``path`` names not show the line if its file
    is outside of the folder of the lock.

    A lock of a pull request may name any file of the machine, and the output of a job is public.
    """
    try:
        yield
    except InvalidRequirementLine as error:
        place = error.origin.rpartition(":")[0] or error.origin
        if is_inside(os.path.abspath(place), os.path.dirname(os.path.abspath(path))):
            raise
        raise InvalidRequirementLine(
            error.origin,
            "it is not a requirement",
            hint="the file is outside of the folder of the lock, so its text is not shown; "
            "plan -r FILE shows it",
        ) from None


def is_inside(path: str, folder: str) -> bool:
    """Return whether ``path`` leads to a place below ``folder``, links followed."""
    folder = os.path.realpath(folder)
    return os.path.commonpath([folder, os.path.realpath(path)]) == folder


def recorded_indexes(lock: Pylock, folder: str) -> IndexRequest:
    """Return the options about indexes of the lock in ``folder``."""
    options = IndexRequest.from_options(recorded_table(lock, "options").get("index"), folder)
    public = parse_index(PUBLIC_INDEX).url
    if not options.configured and recorded_places(lock)[-1:] == (public,):
        # It stays the index of the lock on a machine that is configured for another one.
        return replace(options, configured=(public,))
    return options


def recorded_places(lock: Pylock) -> tuple[str, ...]:
    """Return the indexes, pages and folders of the plan of ``lock``, in the order of their rank."""
    places = recorded_table(lock, "policy").get("indexes")
    return tuple(one for one in places if isinstance(one, str)) if isinstance(places, list) else ()


def recorded_files(lock: Pylock, path: str) -> tuple[str, ...]:
    """Return the paths of the files and folders that a plan of the lock at ``path`` reads, as far
    as the lock names them. They need not be there.
    """
    table = recorded_table(lock, "inputs")
    sources = Provenance.from_table(table, os.path.dirname(path)) or Provenance()
    documents = (os.path.join(one, "pyproject.toml") for one in sources.projects)
    files = (*sources.requirements, *sources.constraints, *sources.overrides)
    return (*sources.projects, *documents, *files)


def is_planned(lock: Pylock) -> bool:
    """Return whether the lock records its inputs, as only those do that lockstream planned."""
    return Provenance.from_table(recorded_table(lock, "inputs"), "") is not None


def recorded_sources(lock: Pylock, path: str) -> Provenance:
    """Return where the inputs of the lock at ``path`` are.

    Raises InputsNotRecorded if the lock does not record it.
    """
    table = recorded_table(lock, "inputs")
    sources = Provenance.from_table(table, os.path.dirname(path))
    if sources is None and (origin := SubsetOrigin.of(lock, path)):
        raise InputsNotRecorded(
            f"{path} is a subset of {origin.path}, which records where the requirements are",
            hint=f"name {origin.path} instead",
        )
    if sources is None and "requires" in table:
        raise InputsNotRecorded(
            f"{path} is the lock of what a package is built with",
            hint="name the lock of the package: plan --build writes both of them",
        )
    if sources is None:
        raise InputsNotRecorded(
            f"{path} does not record where its requirements are",
            hint=f"write it again: {first_plan(path)}, also with -r FILE, keeps its versions and "
            "records its inputs",
        )
    return sources
