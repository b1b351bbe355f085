"""Hints are the sizes that unpacking the wheel will find."""

from __future__ import annotations

import pytest

from helpers.archives import Descriptor, Member, build_archive
from planner.metadata.sizing import size_wheel
from schemas.hints import WheelHints
from schemas.zipformat import CentralEntry, Method, parse_central_directory, parse_end_record


def entries(*members: Member) -> tuple[CentralEntry, ...]:
    archive = build_archive(members)
    end = parse_end_record(archive[-22:])
    directory = archive[end.directory_offset : end.directory_offset + end.directory_size]
    return tuple(parse_central_directory(directory, end.entries))


def test_files_are_counted_and_added_up() -> None:
    members = [Member("a", b"1"), Member("b/", mode=0o040755), Member("b/c", b"22" * 50)]
    assert size_wheel(entries(*members)) == WheelHints(
        unpacked_size=101, files=2, largest_file=100, streamable=True
    )


def test_an_empty_archive_costs_nothing() -> None:
    assert size_wheel([]) == WheelHints(unpacked_size=0, files=0, largest_file=0)


@pytest.mark.parametrize(
    ("method", "descriptor", "streamable"),
    [
        (Method.DEFLATED, None, True),
        (Method.DEFLATED, Descriptor(), True),
        (Method.STORED, None, True),
        (Method.STORED, Descriptor(), False),
    ],
)
def test_only_a_stored_member_with_its_size_behind_it_cannot_be_streamed(
    method: Method, descriptor: Descriptor | None, streamable: bool
) -> None:
    members = [Member("a", b"1"), Member("b", b"2", method=method, descriptor=descriptor)]
    assert size_wheel(entries(*members)).streamable is streamable
