"""A listing gives back what it was made of, and nothing else is one."""

from __future__ import annotations

from array import array

import pytest
import zstandard

from planner.metadata.listing import Listing, place_of

PLACES = [b"lib/demo/a.py", b"lib/six.py", b"scripts/demo", "lib/ä".encode()]
NUMBERS = [1, 2**64 - 1, 0, 3]


def packed(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


def test_files_and_folders_are_given_back() -> None:
    listing = Listing.from_bytes(Listing.of(PLACES, NUMBERS).packed)
    assert listing is not None
    assert list(listing.files()) == [
        (place.decode(), number) for place, number in zip(PLACES, NUMBERS, strict=True)
    ]
    assert listing.folders() == {"lib/demo", "lib", "scripts"}
    assert listing.tops() == {"lib/demo", "lib", "scripts"}
    assert listing.text() == "lib/demo/a.py\nlib/six.py\nscripts/demo\nlib/ä\n"


def test_the_tops_are_the_first_two_folders() -> None:
    places = [
        b"lib/a/b/c.py",
        b"lib/a/d.py",
        b"lib/ab/c.py",
        b"lib/a.py",
        b"lib/a/e",
        b"data/x/y/z",
    ]
    listing = Listing.of(places, [0] * len(places))
    assert listing.tops() == {"lib/a", "lib/ab", "lib", "data/x"}


def test_an_empty_one_has_no_files() -> None:
    listing = Listing.from_bytes(Listing.of([], []).packed)
    assert listing is not None
    assert list(listing.files()) == []
    assert (listing.folders(), listing.tops(), listing.text()) == (set(), set(), "")


def test_a_name_of_two_lines_stays_one_file() -> None:
    listing = Listing.of([b"lib/a\nb", b"lib/c"], [1, 2])
    assert list(listing.files()) == [("lib/a\0b", 1), ("lib/c", 2)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        packed(b""),
        packed(b"1"),
        packed(b"x\nlib/a\n" + bytes(8)),
        packed(b"-1\n"),
        packed(b"1\nlib/a\n" + bytes(7)),
        packed(b"2\nlib/a\n" + bytes(16)),
        packed(b"1\nlib/a\nlib/b\n" + bytes(8)),
        packed(b"1\n\xff\n" + bytes(8)),
        packed(b"99999999999\n"),
        packed(b"1\n\nx" + bytes(8)),
        packed(b"00000001 5 lib/a"),
        Listing.of(PLACES, NUMBERS).packed[:-1],
    ],
)
def test_anything_else_is_not_a_listing(content: bytes) -> None:
    assert Listing.from_bytes(content) is None


def test_numbers_are_eight_bytes() -> None:
    assert array("Q").itemsize == 8


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("demo/a.py", "lib/demo/a.py"),
        ("a.py", "lib/a.py"),
        ("demo-1.dist-info/RECORD", None),
        ("demo-1.data/purelib/demo/a.py", "lib/demo/a.py"),
        ("demo-1.data/platlib/a.py", "lib/a.py"),
        ("demo-1.data/scripts/a", "scripts/a"),
    ],
)
def test_a_place_is_where_a_member_is_installed(name: str, place: str | None) -> None:
    assert place_of(name) == place
