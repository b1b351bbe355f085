"""A plan knows the names for which an execution refuses a wheel."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from planner.metadata.listing import Listing
from planner.metadata.portability import find_unportable


def listing_of(names: Iterable[str]) -> Listing:
    places = [f"lib/{name}".encode() for name in names]
    return Listing.of(places, [0] * len(places))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["demo/a.py", "demo/b.py"], ()),
        (["demo/aux.py", "demo/b.py"], ("demo/aux.py",)),
        (["demo/mpicc", "demo/mpiCC"], ("demo/mpiCC",)),
        (["demo/a:b"], ("demo/a:b",)),
        (["a b/c@d/~e", "demo/ä.py"], ()),
        (["a b/c", "A B/C"], ("A B/C",)),
        (["con/a"], ("con/a",)),
        (["demo/com1.txt", "demo/common", "demo/conf.py", "demo/.nul"], ("demo/com1.txt",)),
        (["demo/dot.", "demo/...", "demo/a..b"], ("demo/dot.", "demo/...")),
        (["demo/a\nb"], ("demo/a\0b",)),
        (["/a", "a//b", "a/../b"], ("/a", "a//b", "a/../b")),
        (["/".join("a" * 65)], ("/".join("a" * 65),)),
        (["/".join("a" * 40), "b" * 200], ()),
        (["c" * 256], ("c" * 256,)),
        (["/".join(["d" * 99] * 11)], ("/".join(["d" * 99] * 11),)),
        (["demo/nul", "demo/con", "demo/prn", "demo/aux"], ("demo/nul", "demo/con", "demo/prn")),
    ],
)
def test_they_are_found_in_wheels_for_all_systems(names: list[str], found: tuple[str, ...]) -> None:
    listing = listing_of(names)
    assert find_unportable("demo-1.0-py3-none-any.whl", listing) == found
    assert find_unportable("demo-1.0-py3-none-win_amd64.whl", listing) == found
    assert find_unportable("demo-1.0-py3-none-manylinux_2_17_x86_64.whl", listing) == ()
