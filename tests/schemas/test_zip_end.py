"""The end of an archive says where its central directory is, in one way, or is refused."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.archives import Member, build_archive
from helpers.zip_records import read_central, refusal
from schemas.zip_end import END_RECORD, parse_end_record


@pytest.mark.parametrize(("comment", "size"), [(b"", 0), (b"abc", 3)])
def test_the_end_record_tells_the_size_of_the_comment(comment: bytes, size: int) -> None:
    archive = build_archive([], comment=comment)
    assert parse_end_record(archive[: END_RECORD.size]).comment_size == size


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        pytest.param(
            {"entries": 2, "entries_here": 2},
            "the central directory ends before its last entry",
            id="more entries",
        ),
        pytest.param(
            {"entries": 0, "entries_here": 0},
            "the central directory holds 47 bytes after its last entry",
            id="fewer entries",
        ),
        pytest.param({"size": 46}, "the central directory ends inside an entry", id="shorter"),
        pytest.param({"disk": 1}, "the archive is spread over several disks", id="disk"),
        pytest.param(
            {"directory_disk": 1}, "the archive is spread over several disks", id="other disk"
        ),
        pytest.param(
            {"entries_here": 0}, "the archive is spread over several disks", id="entries here"
        ),
        pytest.param(
            {"signature": b"PK\x05\x07"},
            "the archive does not end with an end record",
            id="signature",
        ),
    ],
)
def test_refusals_of_end_records(lie: dict[str, Any], message: str) -> None:
    archive = build_archive([Member("a")], end=lie)
    assert refusal(lambda: read_central(archive)) == message


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        pytest.param(
            {"signature": b"PK\x06\x07"},
            "the ZIP64 end record does not begin with its signature",
            id="signature",
        ),
        pytest.param(
            {"record_size": 48, "sector": b"abcd"},
            "the ZIP64 end record has an extensible data sector",
            id="extensible data",
        ),
        pytest.param(
            {"version": 100}, "it needs version 10.0 of the zip format", id="newer version"
        ),
        pytest.param({"disk": 1}, "the archive is spread over several disks", id="disk"),
        pytest.param(
            {"entries_here": 0}, "the archive is spread over several disks", id="entries here"
        ),
    ],
)
def test_refusals_of_zip64_end_records(lie: dict[str, Any], message: str) -> None:
    archive = build_archive([Member("a")], zip64=True, zip64_end=lie)
    assert refusal(lambda: read_central(archive)) == message


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        pytest.param(
            {"signature": b"PK\x06\x06"},
            "the ZIP64 end record is not followed by a locator",
            id="signature",
        ),
        pytest.param({"disk": 1}, "the archive is spread over several disks", id="disk"),
        pytest.param({"disks": 2}, "the archive is spread over several disks", id="disks"),
    ],
)
def test_refusals_of_zip64_locators(lie: dict[str, Any], message: str) -> None:
    archive = build_archive([Member("a")], zip64=True, locator=lie)
    assert refusal(lambda: read_central(archive)) == message
