"""What the user may have meant by requirements that no index satisfies.

It is looked for only after a plan has failed: in the names that the plan and the lock know, in the
indexes that were not asked, and among the few names that one slip of a finger away are projects of
the indexes. A list of all names would be tens of megabytes on PyPI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from functools import partial

from packaging.utils import NormalizedName, canonicalize_name

from planner.index.client import CONNECTIONS
from planner.index.indexes import Index, Indexes
from planner.index.pages import ProjectPage
from planner.index.reader import IndexReader
from planner.resolver.candidates import Project
from planner.resolver.explanation import Unsolvable
from planner.resolver.solve import UnsolvableTargets
from planner.resolver.supply import Supply
from schemas.errors import LockstreamError
from schemas.text import enumerate_some

__all__ = ["advise", "near_names"]


MAX_NAMES = 3
"""Projects that advice is looked for."""


MAX_ASKED = 64
"""Similar names that indexes are asked for, for each project: four rounds of all connections."""


MIN_VERSIONS = 10
"""Strangers also publish under names that differ in a letter, mostly few versions."""


def advise(
    error: Unsolvable | UnsolvableTargets,
    reader: IndexReader,
    indexes: Indexes,
    names: Iterable[NormalizedName],
) -> tuple[str, ...]:
    """Return a sentence for each project of ``error`` that another name or index has.

    ``names`` are projects of the existing lock. An index that fails has nothing to advise.
    """
    errors = error.errors if isinstance(error, UnsolvableTargets) else (error,)
    supplies = {one.name: one for each in errors for top in each.supplies for one in _all(top)}
    existing = {name for (_, name), seen in reader.seen.items() if seen.digest}
    lacking = [one for one in supplies.values() if not one.matching]
    found: list[str] = []
    for supply in lacking[:MAX_NAMES]:
        elsewhere = list(_elsewhere(supply, reader, indexes))
        found += elsewhere
        if not (supply.exists or elsewhere):
            found += _similar(supply.name, reader, {*existing, *names})
    return tuple(found)


def _all(supply: Supply) -> Iterator[Supply]:
    yield supply
    for obstacle in supply.obstacles:
        if obstacle.supply is not None:
            yield from _all(obstacle.supply)


def _elsewhere(supply: Supply, reader: IndexReader, indexes: Indexes) -> Iterator[str]:
    """Yield which index has versions that were not looked at, and how to get them.

    If the user has pinned the project to an index, no other has the right one.
    """
    places = [one for one in indexes.places if isinstance(one, Index)]
    for place in places if supply.name not in indexes.pins else ():
        page = _page(partial(reader.page_of, supply.name, place))
        versions = [one.version for one in Project(page).releases]
        if new := [version for version in versions if version not in supply.versions]:
            name = place.name or "NAME"
            way = f"--package-index {supply.name}={name}"
            if place.name is None:
                way += f" --index NAME={place.url}"
            shown = f"{supply.name} {enumerate_some(new, 3)}"
            yield f"{place.url} has {shown}; if that is the right project, add {way}"


def _similar(
    name: NormalizedName, reader: IndexReader, known: Iterable[NormalizedName]
) -> Iterator[str]:
    """Yield the projects whose names are nearly ``name``."""
    near = get_close_matches(name, known, n=2, cutoff=0.8)
    if near:
        yield f"{name} is nearly the name of {enumerate_some(near)}, which the plan or the lock has"
        return
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        pages = list(pool.map(lambda one: _page(partial(reader.page, one)), near_names(name)))
    best = max(pages, key=lambda page: len(page.files), default=None)
    count = len(best.files) if best else 0
    if best is not None and count >= MIN_VERSIONS:
        yield f"{name} is nearly the name of {best.name}, of which there are {count} versions"


def _page(read: Callable[[], ProjectPage]) -> ProjectPage:
    try:
        return read()
    except LockstreamError:
        return ProjectPage(canonicalize_name(""), exists=False)


def near_names(name: NormalizedName) -> list[NormalizedName]:
    """Return the names from which a slip makes ``name``: two letters exchanged, one too many, one
    of a pair missing, a word joined or divided, ``python`` before it or left out.
    """
    places = range(len(name))
    texts = [
        *(f"python-{name}", f"py{name}", name.removeprefix("python-"), name.removeprefix("py")),
        *(name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :] for at in places[:-1]),
        *(name[:at] + name[at + 1 :] for at in places),
        *(name[:at] + "-" + name[at:] for at in places[1:]),
        *(name[: at + 1] + name[at:] for at in places),
    ]
    found = dict.fromkeys(canonicalize_name(text.strip("-")) for text in texts)
    return [one for one in found if one and one != name][:MAX_ASKED]
