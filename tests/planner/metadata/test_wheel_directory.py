"""What one loop takes from a central directory is what its entries say."""

from __future__ import annotations

import random
from typing import Any

import pytest

from helpers.archives import Descriptor, Member, build_archive
from helpers.zip_records import entries_of
from planner.metadata.listing import place_of
from planner.metadata.wheel_directory import WheelDirectory, scan_directory
from schemas.hints import WheelHints
from schemas.zip_end import parse_end_record
from schemas.zipformat import InvalidZip, Method


def cut(archive: bytes) -> tuple[bytes, int]:
    """The central directory of an archive, and how many entries it has."""
    end = parse_end_record(archive[-22:])
    return archive[end.directory_offset :][: end.directory_size], end.entries


def scanned(*members: Member) -> WheelDirectory:
    return scan_directory(*cut(build_archive(members)))


def test_files_are_counted_and_added_up() -> None:
    members = [Member("a", b"1"), Member("b/", mode=0o040755), Member("b/c", b"22" * 50)]
    assert scanned(*members).hints == WheelHints(
        unpacked_size=101, files=2, largest_file=100, streamable=True
    )


def test_an_empty_archive_costs_nothing() -> None:
    assert scanned().hints == WheelHints(unpacked_size=0, files=0, largest_file=0)


@pytest.mark.parametrize(
    ("method", "descriptor", "streamable"),
    [
        (Method.DEFLATED, None, True),
        (Method.DEFLATED, Descriptor(), True),
        (Method.STORED, None, True),
        (Method.STORED, Descriptor(), False),
    ],
)
@pytest.mark.parametrize("before", [0, 3])
def test_only_a_stored_member_with_its_size_behind_it_cannot_be_streamed(
    method: Method, descriptor: Descriptor | None, streamable: bool, before: int
) -> None:
    others = [Member(f"demo/{n}", b"1") for n in range(before)]
    members = [*others, Member("demo/b", b"2", method=method, descriptor=descriptor)]
    assert scanned(*members).hints.streamable is streamable


NAMES = [
    "demo/a.py", "demo/b/c.py", "demo/", "demo/b/", "six.py", "demo/ä.py", "ä/b.py", "other/x",
    "demo-1.0.data/purelib/demo/d.py", "demo-1.0.data/scripts/demo", "demo-1.0.data/x",
    "demo-1.0.dist-info/METADATA", "demo-1.0.dist-info/RECORD", "demo/METADATA", "/a", "a//b",
    "demo/.hidden", "demo/two\nlines",
]  # fmt: skip


def random_member(chance: random.Random) -> Member:
    lies: list[dict[str, Any]] = [
        {}, {}, {}, {"extra": b"ab"}, {"extra": b"UT\x01\x00x"}, {"comment": b"note"},
        {"version": 20 | 3 << 8}, {"version": 64}, {"flags": 1}, {"flags": 6}, {"method": 12},
        {"disk": 1}, {"size": 7, "crc": 9}, {"name": b"demo/\xff"}, {"name_size": 200},
        {"external": 0o120777 << 16},
    ]  # fmt: skip
    return Member(
        chance.choice(NAMES),
        b"x" * chance.choice([0, 1, 300]),
        method=chance.choice([Method.DEFLATED, Method.DEFLATED, Method.STORED, Method.ZSTANDARD]),
        zip64=chance.random() < 0.1,
        descriptor=Descriptor() if chance.random() < 0.1 else None,
        central=chance.choice(lies if chance.random() < 0.1 else [{}]),
    )


def told(directory: bytes, entries: int) -> object:
    """What the entries say, one by one; the text of the error if they cannot be read."""
    try:
        found = entries_of(directory, entries)
    except InvalidZip as error:
        return str(error)
    return (
        sum(entry.size for entry in found),
        sum(not entry.is_directory for entry in found),
        max((entry.size for entry in found), default=0),
        not any(entry.method is Method.STORED and entry.has_descriptor for entry in found),
        [
            (place.replace("\n", "\0"), entry.crc << 32 | entry.size)
            for entry in found
            if not entry.is_directory and (place := place_of(entry.name))
        ],
        [entry for entry in found if entry.name.endswith(".dist-info/METADATA")],
    )


def scanned_as_told(directory: bytes, entries: int) -> object:
    try:
        hints, listing, metadata = scan_directory(directory, entries)
    except InvalidZip as error:
        return str(error)
    return (
        hints.unpacked_size,
        hints.files,
        hints.largest_file,
        hints.streamable,
        list(listing.files()),
        [entry for entry in metadata if entry.name.endswith(".dist-info/METADATA")],
    )


def test_random_directories_say_the_same_in_both_ways() -> None:
    chance = random.Random(5)
    refused = 0
    for _ in range(400):
        members = [random_member(chance) for _ in range(chance.randrange(12))]
        directory, entries = cut(build_archive(members))
        if chance.random() < 0.1:
            directory = directory[: chance.randrange(len(directory) + 1)] + b"x" * chance.choice(
                [0, 0, 1]
            )
            entries += chance.choice([-1, 0, 1])
        expected = told(directory, max(entries, 0))
        refused += isinstance(expected, str)
        assert scanned_as_told(directory, max(entries, 0)) == expected
    assert 50 < refused < 350
