"""The central directory of a wheel on disk is read from its end, as far as it is intact."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from executor.archive.central_directory import read_directory
from executor.archive.unzip import MAX_TRAILING_ZEROS
from schemas.zip_end import END_RECORD


def archive(members: int = 3, comment: bytes = b"", prefix: bytes = b"") -> bytes:
    file = io.BytesIO()
    file.write(prefix)
    with zipfile.ZipFile(file, "a" if prefix else "w") as whole:
        for number in range(members):
            whole.writestr(f"demo/m{number}.py", f"x = {number}\n")
        whole.comment = comment
    return file.getvalue()


def names(folder: Path, content: bytes) -> list[str]:
    (folder / "demo.whl").write_bytes(content)
    return [entry.name for entry in read_directory(str(folder / "demo.whl"))]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(archive(), id="plain"),
        pytest.param(archive(comment=b"c" * 0xFFFF), id="the longest comment"),
        pytest.param(archive() + bytes(MAX_TRAILING_ZEROS), id="trailing zeros"),
    ],
)
def test_all_entries_come_in_their_order(tmp_path: Path, content: bytes) -> None:
    assert names(tmp_path, content) == ["demo/m0.py", "demo/m1.py", "demo/m2.py"]


def test_entries_are_found_however_many_chunks_they_fill(tmp_path: Path) -> None:
    assert len(names(tmp_path, archive(2000))) == 2000


def test_an_archive_without_members_has_no_entries(tmp_path: Path) -> None:
    assert names(tmp_path, archive(0)) == []


def test_a_directory_ends_at_its_first_damaged_entry(tmp_path: Path) -> None:
    content = bytearray(archive())
    # The signature of the last entry.
    content[content.rindex(b"PK\x01\x02")] = 0
    assert names(tmp_path, bytes(content)) == ["demo/m0.py", "demo/m1.py"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no archive at all", id="text"),
        pytest.param(archive()[: -END_RECORD.size], id="no end record"),
        pytest.param(archive()[:-1], id="a cut end record"),
    ],
)
def test_without_an_end_record_there_are_no_entries(tmp_path: Path, content: bytes) -> None:
    assert names(tmp_path, content) == []


def test_an_end_record_without_its_zip64_record_gives_no_entries(tmp_path: Path) -> None:
    content = bytearray(archive())
    # Its offset of the directory says "see the ZIP64 record", and there is none.
    content[-6:-2] = b"\xff\xff\xff\xff"
    assert names(tmp_path, bytes(content)) == []


def test_an_absent_file_is_the_callers_problem(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_directory(str(tmp_path / "demo.whl")))
