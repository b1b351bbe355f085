"""The entries of a journal: what a transaction removes and what it moves, each as a line of JSON.

Paths are relative to purelib in a line, so that a copied or moved environment is finished in its
new place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from typing import Any

from schemas.data_class import frozen

__all__ = ["Move", "Removal", "entry_of", "line_of"]


_PATHS = frozenset({"dist_info", "roots", "keep", "destination"})
"""Fields of entries whose paths are relative in the file."""


@frozen
class Removal:
    """An installed distribution to remove; an entry of a journal. Paths are absolute."""

    dist_info: str
    """Path of its dist-info folder."""
    aside: str
    """Path below the journal's folder that dist-info is moved to first: then what is half removed
    reads as absent, and its RECORD can still be read."""
    roots: list[str]
    """The folders of the environment, which stay; nothing outside of them is touched."""
    keep: list[str]
    """Paths of files that another distribution owns too."""


@frozen
class Move:
    """A staged folder whose contents go into a folder of the environment; an entry of a journal."""

    source: str
    """Path below the journal's folder."""
    destination: str
    """Absolute path."""
    last: str | None = None
    """The entry of ``source`` that goes last: the dist-info folder, which says "installed"."""


def line_of(entry: Removal | Move, packages: str) -> str:
    """Return the line of an entry, whose paths become relative to the folder ``packages``."""
    contents = {each.name: getattr(entry, each.name) for each in fields(entry)}
    for name in _PATHS & contents.keys():
        contents[name] = _each(_relative, contents[name], packages)
    return json.dumps({type(entry).__name__: contents})


def entry_of(kind: str, contents: dict[str, Any], packages: str) -> Removal | Move:
    """Return the entry of a line that was parsed; its paths are relative to the folder
    ``packages``.

    Raises ValueError, TypeError, KeyError or AttributeError if it is none.
    """
    for name in _PATHS & contents.keys():
        contents[name] = _each(_absolute, contents[name], packages)
    entry: Removal | Move = {"Removal": Removal, "Move": Move}[kind](**contents)
    _check_types(entry)
    return entry


def _each(
    change: Callable[[str, str], str], value: str | list[str], packages: str
) -> str | list[str]:
    if isinstance(value, str):
        return change(value, packages)
    return [change(path, packages) for path in value]


# Nearly all moves have one of a few destinations.
@lru_cache(maxsize=16)
def _relative(path: str, packages: str) -> str:
    return os.path.relpath(path, packages)


@lru_cache(maxsize=16)
def _absolute(path: str, packages: str) -> str:
    return os.path.normpath(os.path.join(packages, path))


def _check_types(entry: Removal | Move) -> None:
    """Raise ValueError or TypeError if a field is not of its type, or a path cannot be one."""
    if isinstance(entry, Move):
        lists, paths = [], [entry.source, entry.destination]
        paths += [] if entry.last is None else [entry.last]
    else:
        lists = [entry.roots, entry.keep]
        paths = [entry.dist_info, entry.aside, *entry.roots, *entry.keep]
    if not all(isinstance(field, list) for field in lists):
        raise TypeError
    if any(not isinstance(path, str) or b"\0" in os.fsencode(path) for path in paths):
        raise TypeError
