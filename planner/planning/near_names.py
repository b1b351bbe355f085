"""Names of projects that are nearly a name: by a slip of a finger, or by a letter or two."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from packaging.utils import NormalizedName, canonicalize_name

__all__ = ["MAX_SLIPS", "nearest", "popular_names", "slips"]


MAX_SLIPS = 64
"""Names that differ by a slip: what an index answers in four rounds of all connections."""


MIN_LENGTH = 4
"""Characters. Nearly all names of three letters are projects, and near each other."""


LONG = 8
"""Characters of a name that may differ by two letters: ``tensroflo``."""


@cache
def popular_names() -> tuple[NormalizedName, ...]:
    """Return the 3,000 projects of PyPI that were downloaded most in November 2026, sorted.

    A list of all would be tens of megabytes. With these, no index has to be asked for hundreds of
    names; it is asked for those that are near.
    """
    text = Path(__file__).with_name("popular_names.txt").read_text("ascii")
    return tuple(map(NormalizedName, text.split()))


def nearest(name: NormalizedName, names: Iterable[NormalizedName]) -> list[NormalizedName]:
    """Return those of ``names`` that a letter added, dropped, replaced or exchanged with the next
    makes ``name``, or two such changes if it is long; the nearest first.
    """
    if len(name) < MIN_LENGTH:
        return []
    most = 2 if len(name) >= LONG else 1
    found = [
        (distance, one)
        for one in names
        if one != name
        and abs(len(one) - len(name)) <= most
        and (distance := _distance(name, one)) <= most
    ]
    return [one for _, one in sorted(found)]


def _distance(first: str, second: str) -> int:
    """Return the number of letters that differ, two exchanged neighbours counting as one (optimal
    string alignment).
    """
    before: list[int] = []
    row = list(range(len(second) + 1))
    for at, letter in enumerate(first):
        above, row = row, [at + 1]
        for place, other in enumerate(second):
            best = min(above[place] + (letter != other), above[place + 1] + 1, row[place] + 1)
            is_exchanged = at and place and letter == second[place - 1] and first[at - 1] == other
            row.append(min(best, before[place - 1] + 1) if is_exchanged else best)
        before = above
    return row[-1]


def slips(name: NormalizedName) -> list[NormalizedName]:
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
    return [one for one in found if one and one != name][:MAX_SLIPS]
