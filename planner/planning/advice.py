"""What the user may have meant by requirements that no index satisfies.

It is looked for only after a plan has failed: in the names that the plan and the lock know, in the
indexes that were not asked, among the names that an index lists or that many use, and else among
the few names that one slip of a finger away are projects of the indexes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial

from packaging.utils import NormalizedName, canonicalize_name

from planner.index.indexes import Index, Indexes
from planner.index.pages import ProjectPage
from planner.index.reader import IndexReader
from planner.index.request_pool import RequestPool
from planner.index.requester import CONNECTIONS
from planner.planning.near_names import nearest, popular_names, slips
from planner.resolver.releases import Project
from planner.resolver.solve import UnsolvableTargets
from planner.resolver.supply import Supply
from planner.resolver.unsolvable import Unsolvable
from schemas.errors import LockstreamError, NoSolution
from schemas.text import enumerate_some

__all__ = ["add_kept_options", "advise"]


MAX_NAMES = 3
"""Projects that advice is looked for."""


MAX_NEAR = 4
"""Similar names that an index lists, or that many use, of which the pages are read."""


MAX_ADVICE = 6
"""Sentences; the rest of an explanation needs room, too."""


MIN_VERSIONS = 10
"""Strangers also publish under names that differ in a letter, mostly few versions."""


_LOCAL = re.compile(r"==\s*([\w.!]+\+[\w.]+)")
"""A requirement of a local version, of which PyPI has few."""


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
    existing = {seen.project for seen in reader.seen if seen.digest}
    lacking = [one for one in supplies.values() if not (one.matching or one.is_direct)]
    if lacking and not indexes.places:
        return ("there is no place to look: --no-index is given, and no --find-links",)
    found: list[str] = []
    for supply in lacking[:MAX_NAMES]:
        if known := _well_known(supply):
            found.append(known)
            continue
        elsewhere = list(_elsewhere(supply, reader, indexes))
        found += elsewhere
        if not (supply.exists or elsewhere):
            pin = indexes.pin_of(supply.name, errors[0].environment)
            places = indexes.places_of(pin)
            found += _similar(supply.name, reader, places, {*existing, *names})
    return tuple(found[:MAX_ADVICE])


def add_kept_options(error: NoSolution, kept: Iterable[str]) -> None:
    """Add to the advice of ``error`` the options that it speaks of and that nobody has given: they
    are ``kept`` from the lock, by their names in Python.
    """
    if not isinstance(error, Unsolvable | UnsolvableTargets):
        return
    text = str(error)
    if "--index URL" in error.hint:
        text += "--no-index"
    for name in kept:
        option = "--" + name.replace("_", "-").replace("hosts", "host")
        if re.search(rf"{option}(?![\w-])", text):
            sentence = f"{option} is kept from the lock; plan --forget drops what that records"
            error.advice = (*error.advice, sentence)


def _all(supply: Supply) -> Iterator[Supply]:
    yield supply
    for obstacle in supply.obstacles:
        if obstacle.supply is not None:
            yield from _all(obstacle.supply)


def _well_known(supply: Supply) -> str:
    """Return what is known of a requirement that looks right and is on no index; empty if nothing
    is.
    """
    if supply.name == "python" and not supply.exists:
        return "Python is no package: name it with --python-version, or in requires-python"
    local = next(filter(None, map(_LOCAL.search, supply.demands)), None)
    label = local[1].partition("+")[2].replace("_", ".") if local else ""
    if local and supply.exists and all(one.local != label for one in supply.versions):
        return (
            f"builds such as {local[1]} are on an index of their own: add it (--index URL), and "
            f"take {supply.name} from it (--package-index)"
        )
    return ""


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
    name: NormalizedName,
    reader: IndexReader,
    places: Iterable[object],
    known: Iterable[NormalizedName],
) -> Iterator[str]:
    """Yield the projects whose names are nearly ``name``, which was looked for in ``places``."""
    if near := nearest(name, known)[:2]:
        yield f"{name} is nearly the name of {enumerate_some(near)}, which the plan or the lock has"
        return
    listed = _listed(reader, places)
    near = nearest(name, {*listed, *popular_names()})[:MAX_NEAR]
    found = next(filter(_count_versions, _pages(reader, near)), None)
    if found is None:
        # A name that no index lists, and few use, may be a trap.
        pages = _pages(reader, slips(name))
        found = max(pages, key=_count_versions, default=None)
        found = found if found and _count_versions(found) >= MIN_VERSIONS else None
    if found:
        count = _count_versions(found)
        versions = "1 version" if count == 1 else f"{count} versions"
        verb = "is" if count == 1 else "are"
        yield f"{name} is nearly the name of {found.name}, of which there {verb} {versions}"


def _listed(reader: IndexReader, places: Iterable[object]) -> set[NormalizedName]:
    found: set[NormalizedName] = set()
    for place in places:
        if isinstance(place, Index):
            with suppress(LockstreamError):
                found |= reader.names(place)
    return found


def _pages(reader: IndexReader, names: Iterable[NormalizedName]) -> list[ProjectPage]:
    with RequestPool(CONNECTIONS) as pool:
        return list(pool.ask_all(lambda one: _page(partial(reader.page, one)), names))


def _count_versions(page: ProjectPage) -> int:
    return len(page.files)


def _page(read: Callable[[], ProjectPage]) -> ProjectPage:
    try:
        return read()
    except LockstreamError:
        return ProjectPage(canonicalize_name(""), exists=False)
