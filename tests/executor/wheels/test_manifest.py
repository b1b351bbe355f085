"""The rows of a manifest come back as they were written, also from disk."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.files.held_folder import HeldFolder
from executor.wheels.manifest import MAX_HELD, Manifest, ManifestRow
from executor.wheels.records import record_row
from schemas.digests import encode_digest
from schemas.zipformat import CentralEntry, Method

DIGEST = encode_digest(bytes(32))
U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))
ROWS = st.builds(
    ManifestRow,
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    flags=U16,
    method=U16,
    crc=U32,
    compressed_size=U64,
    size=U64,
    offset=U64,
    record=st.just(""),
).map(lambda row: row._replace(record=record_row(row.name, DIGEST, row.size)))


def row_of(name: str) -> ManifestRow:
    return ManifestRow(name, 0, 8, 0xCAFE, 10, 20, 30, record_row(name, DIGEST, 20))


ROW = row_of("a/b.py")
NOWHERE = HeldFolder("/nowhere", -1)
ENTRY = CentralEntry("a/b.py", 0, Method.DEFLATED, 0xCAFE, 10, 20, 30, 0o100644)


@given(st.lists(ROWS))
def test_rows_are_read_back_in_their_order_as_often_as_asked(rows: list[ManifestRow]) -> None:
    with Manifest(NOWHERE) as manifest:
        for row in rows:
            manifest.append(row)
        assert list(manifest.rows()) == rows
        assert list(manifest.rows()) == rows


@pytest.mark.parametrize("name", ["é", "a,é", ",é", 'q"/é', '"é"', "a\r🐍"])
def test_a_quoted_name_may_end_with_any_character(name: str) -> None:
    with Manifest(NOWHERE) as manifest:
        manifest.append(row_of(name))
        assert [row.name for row in manifest.rows()] == [name]
        record = record_row(name, DIGEST, 20).encode()
        assert list(manifest.records()) == [(name, record, 20)]


def test_many_rows_are_on_disk_in_a_file_without_a_name(tmp_path: Path) -> None:
    path = tmp_path / "manifest"
    rows = [row_of(f"folder/{number:05d}.py") for number in range(MAX_HELD // 50)]
    with HeldFolder.at(str(tmp_path)) as folder, Manifest(folder) as manifest:
        manifest.append(rows[0])
        assert list(manifest.rows()) == rows[:1]
        for row in rows[1:]:
            manifest.append(row)
        assert list(manifest.rows()) == list(manifest.rows()) == rows
        opened = {os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")}
        assert f"{path} (deleted)" in opened
    assert not list(tmp_path.iterdir())


def test_it_takes_no_memory_per_row(tmp_path: Path) -> None:
    assert peak_of(20_000, tmp_path) - peak_of(5_000, tmp_path) < 16 << 10


def peak_of(rows: int, path: Path) -> int:
    """Bytes of Python objects at most, while so many rows are written and read again."""
    with HeldFolder.at(str(path)) as folder, Manifest(folder) as manifest:
        tracemalloc.start()
        try:
            for number in range(rows):
                manifest.append(row_of(f"folder/{number:05d}.py"))
            assert sum(1 for _ in manifest.rows()) == rows
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    return peak


def test_a_central_entry_that_says_the_same_has_no_difference() -> None:
    assert ROW.difference(ENTRY) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"name": "a/c.py"},
            "the central directory states name 'a/c.py', the archive has 'a/b.py'",
            id="name",
        ),
        pytest.param(
            {"method": Method.STORED},
            "the central directory states compression method 0, the archive has 8",
            id="method",
        ),
        pytest.param(
            {"flags": 8}, "the central directory states flags 8, the archive has 0", id="flags"
        ),
        pytest.param(
            {"crc": 1}, "the central directory states CRC 1, the archive has 51966", id="CRC"
        ),
        pytest.param(
            {"compressed_size": 11},
            "the central directory states compressed size 11, the archive has 10",
            id="compressed size",
        ),
        pytest.param(
            {"size": 21}, "the central directory states size 21, the archive has 20", id="size"
        ),
        pytest.param(
            {"offset": 0}, "the central directory states offset 0, the archive has 30", id="offset"
        ),
    ],
)
def test_the_first_difference_is_named(change: dict[str, Any], message: str) -> None:
    assert ROW.difference(ENTRY._replace(**change)) == message


def test_a_name_that_ends_with_a_slash_is_a_folder() -> None:
    assert ROW._replace(name="a/").is_directory
    assert not ROW.is_directory


@given(ROWS)
def test_a_row_knows_the_digest_that_its_record_spells(row: ManifestRow) -> None:
    assert row.digest == DIGEST


@given(st.lists(ROWS.filter(lambda row: row.name[-1] != "/"), max_size=5))
def test_the_tally_counts_each_file_once(rows: list[ManifestRow]) -> None:
    with Manifest(NOWHERE) as manifest:
        expected = manifest.rows_hash.empty()
        for number, row in enumerate(rows):
            manifest.append(row._replace(offset=2 * number))
            expected.add(row.record.encode())
            manifest.repeat(2 * number + 1)
            manifest.append(row._replace(offset=2 * number + 1))
        manifest.append(row_of("folder/"))
        assert manifest.rows_hash == expected
