"""Names in a wheel that some system does not take, so that an execution refuses the wheel.

An execution holds wheels for more than Linux to the names that Windows and macOS take too; wheels
for Linux alone may have any.
"""

from __future__ import annotations

from planner.metadata.collisions import Listing
from schemas.wheel import InvalidMemberName, check_member_name, is_for_linux

__all__ = ["find_unportable"]

_SHOWN = 3
"""Names that are enough to know a wheel by."""


def find_unportable(filename: str, listing: Listing) -> tuple[str, ...]:
    """Return names of the wheel ``filename`` for which an execution refuses it; at most three.

    Names that differ in case alone count: some systems take them for one.
    """
    if is_for_linux(filename):
        return ()
    found: list[str] = []
    seen: set[str] = set()
    for place, _ in listing.files():
        name = place.removeprefix("lib/")
        lowered = place.lower()
        try:
            check_member_name(name)
            is_bad = lowered in seen
        except InvalidMemberName:
            is_bad = True
        seen.add(lowered)
        if is_bad:
            found.append(name)
            if len(found) == _SHOWN:
                break
    return tuple(found)
