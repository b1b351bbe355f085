"""Names in a wheel that some system does not take, so that an execution refuses the wheel.

An execution holds wheels for more than Linux to the names that Windows and macOS take too; wheels
for Linux alone may have any.
"""

from __future__ import annotations

import re
from string import ascii_letters, digits

from planner.metadata.listing import Listing
from schemas.wheel import MAX_DEPTH, MAX_SEGMENT_SIZE, InvalidMemberName, check_member_name
from schemas.wheel_filename import is_for_linux

__all__ = ["find_unportable"]

_SHOWN = 3
"""Names that are enough to know a wheel by."""

_PLAIN_LINE = re.compile(r"(?:\.?\w[\w.+-]{0,250}+(?<!\.)/)*+\.?\w[\w.+-]{0,250}+(?<!\.)", re.ASCII)
"""A name that every system takes if it is short and not reserved by Windows."""

_PLAIN_BYTES = f"{ascii_letters}{digits}_.+-/\n".encode()
"""The characters of such names, with those between them."""

_SHORT = 2 * MAX_DEPTH
"""Characters. Names up to this length cannot have too many parts, unless some parts are empty."""

_SUSPECT = re.compile(r"/(?:/|(?:con|prn|aux|nul|com[0-9]|lpt[0-9])[./])")
"""Part of a text in lower case in which a name is empty, or may be reserved. A pattern that begins
with one character is found in a fifth of the time."""


def find_unportable(filename: str, listing: Listing) -> tuple[str, ...]:
    """Return names of the wheel ``filename`` for which an execution refuses it; at most three.

    Names that differ in case alone count: some systems take them for one.
    """
    if is_for_linux(filename) or _are_portable(listing.text()):
        return ()
    found: list[str] = []
    seen: set[str] = set()
    for place, _ in listing.files():
        lowered = place.lower()
        if lowered in seen or not _is_portable(place):
            found.append(_name(place))
            if len(found) == _SHOWN:
                break
        seen.add(lowered)
    return tuple(found)


def _are_portable(text: str) -> bool:
    """Return whether ``find_unportable`` finds nothing among these lines: the wheels of a plan have
    tens of thousands, so questions are put to the text as a whole first.
    """
    lowered = text.lower()
    places = lowered.split("\n")
    joined = "/" + lowered.replace("\n", "/")
    if len(set(places)) != len(places) or _SUSPECT.search(joined):
        return False
    if text.isascii() and not text.encode().translate(None, _PLAIN_BYTES) and "./" not in joined:
        return all(
            len(place) <= _SHORT
            or (len(place) <= MAX_SEGMENT_SIZE and place.count("/") < MAX_DEPTH)
            or _is_portable(place)
            for place in places
        )
    return all(
        (len(place) <= _SHORT and _PLAIN_LINE.fullmatch(place)) or _is_portable(place)
        for place in text.split("\n")[:-1]
    )


def _is_portable(place: str) -> bool:
    try:
        check_member_name(_name(place))
    except InvalidMemberName:
        return False
    return True


def _name(place: str) -> str:
    """Return the name of the member, or the part of it that is installed at ``place``."""
    return place.removeprefix("lib/")
