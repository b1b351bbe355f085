"""A database is read a record at a time, or refused with the place of what is wrong in it."""

from __future__ import annotations

import json
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from helpers.advisories import export_of, record, span
from planner.advisories import database
from planner.advisories.database import read_database
from planner.advisories.errors import InvalidDatabase
from planner.inputs.errors import UnreadableInput

DEMO = canonicalize_name("demo")
EXPORT_HINT = (
    "name OSV's export of the ecosystem PyPI, the zip archive all.zip, or the folder that it was "
    "unpacked into"
)


def problem_of(path: Path | str) -> tuple[str, str]:
    with pytest.raises(InvalidDatabase) as raised:
        read_database(str(path), {DEMO})
    return str(raised.value), raised.value.hint


def test_an_archive_and_its_folder_have_the_same(tmp_path: Path) -> None:
    records = [
        record("GHSA-1", modified="2026-03-01T00:00:00Z"),
        record("GHSA-2", about="other", modified="2026-04-01T00:00:00Z"),
    ]
    archive = export_of(tmp_path / "all.zip", records)
    folder = tmp_path / "PyPI"
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    for path in (archive, str(folder)):
        content = read_database(path, {DEMO})
        assert list(content.found) == ["GHSA-1"]
        assert (content.count, content.newest) == (2, "2026-04-01T00:00:00Z")


def test_a_folder_is_read_with_what_is_below_it(tmp_path: Path) -> None:
    """As in a checkout of a database, which has other files too."""
    below = tmp_path / "advisories" / "2026"
    below.mkdir(parents=True)
    (below / "GHSA-1.json").write_text(json.dumps(record("GHSA-1")))
    (tmp_path / "README.md").write_text("# Database")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config.json").write_text("{}")
    (tmp_path / ".meta.json").write_text("{}")
    assert list(read_database(str(tmp_path), {DEMO}).found) == ["GHSA-1"]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_two_records_with_one_id_the_later_counts(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    old = record("GHSA-1", modified="2026-01-01T00:00:00Z")
    new = record("GHSA-1", span("0", "1.0"), modified="2026-02-01T00:00:00Z")
    for name, one in zip(names, (old, new), strict=True):
        (tmp_path / f"{name}.json").write_text(json.dumps(one))
    found = read_database(str(tmp_path), {DEMO}).found["GHSA-1"]
    assert found.modified == "2026-02-01T00:00:00Z"


def test_records_about_other_projects_are_not_kept(tmp_path: Path) -> None:
    padding = "x" * 20_000
    path = export_of(
        tmp_path / "all.zip",
        (record(f"GHSA-{one}", about=f"other-{one}", details=padding) for one in range(1000)),
    )
    tracemalloc.start()
    read_database(path, {DEMO})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


class TestRefused:
    def test_a_folder_without_records(self, tmp_path: Path) -> None:
        (tmp_path / "PYSEC-2026-1.yaml").write_text("id: PYSEC-2026-1")
        assert problem_of(tmp_path) == (f"{tmp_path}: it has no .json file", EXPORT_HINT)

    def test_an_archive_without_records(self, tmp_path: Path) -> None:
        path = export_of(tmp_path / "all.zip", [])
        assert problem_of(path) == (f"{path}: it has no .json file", EXPORT_HINT)

    def test_the_export_of_another_ecosystem(self, tmp_path: Path) -> None:
        package = {"ecosystem": "npm", "name": "demo"}
        path = export_of(tmp_path / "all.zip", [record("GHSA-1", {"package": package})])
        problem = "none of its 1 advisories is about a project on PyPI"
        assert problem_of(path) == (f"{path}: {problem}", EXPORT_HINT)

    @pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"{}", b"\x1f\x8b\x08"])
    def test_another_file(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "all.zip"
        path.write_bytes(content)
        problem = "it is neither a folder nor a zip archive"
        assert problem_of(path) == (f"{path}: {problem}", EXPORT_HINT)

    def test_an_archive_that_is_cut(self, tmp_path: Path) -> None:
        path = Path(export_of(tmp_path / "all.zip", [record("GHSA-1")]))
        path.write_bytes(path.read_bytes()[:-30])
        problem = f"{path}: it is a zip archive that is damaged"
        assert problem_of(path) == (problem, "fetch the archive again")

    def test_a_member_that_is_damaged(self, tmp_path: Path) -> None:
        path = Path(export_of(tmp_path / "all.zip", [record("GHSA-1")]))
        content = bytearray(path.read_bytes())
        content[60:70] = bytes(10)
        path.write_bytes(content)
        problem = f"{path}/GHSA-1.json: it is damaged"
        assert problem_of(path) == (problem, "fetch the archive again")

    def test_a_member_that_is_packed_otherwise(self, tmp_path: Path) -> None:
        path = tmp_path / "all.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
            archive.writestr("GHSA-1.json", "{}")
        problem = "it is packed with method 12, which is neither stored nor deflated"
        assert problem_of(path)[0] == f"{path}/GHSA-1.json: {problem}"

    def test_a_member_that_is_encrypted(self, tmp_path: Path) -> None:
        path = Path(export_of(tmp_path / "all.zip", [record("GHSA-1")]))
        content = bytearray(path.read_bytes())
        directory = content.index(b"PK\x01\x02")
        content[6] |= 1  # general purpose flags, bit 0
        content[directory + 8] |= 1
        path.write_bytes(content)
        assert "GHSA-1.json: it cannot be unpacked: " in problem_of(path)[0]

    def test_a_record_that_is_too_large(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(database, "MAX_RECORD_SIZE", 1 << 20)
        large = record("GHSA-1", details="x" * (1 << 20))
        path = export_of(tmp_path / "all.zip", [large])
        assert problem_of(path)[0] == f"{path}/GHSA-1.json: it is larger than 1 MiB"

    def test_a_file_that_is_no_record(self, tmp_path: Path) -> None:
        (tmp_path / "GHSA-1.json").write_text('{"name": "package"}')
        problem = "it has no id, so it is not a record in OSV's format"
        assert problem_of(tmp_path) == (f"{tmp_path / 'GHSA-1.json'}: {problem}", EXPORT_HINT)


class TestUnreadable:
    def test_a_place_where_nothing_is(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableInput) as raised:
            read_database(str(tmp_path / "none.zip"), {DEMO})
        assert str(raised.value) == f"{tmp_path / 'none.zip'}: No such file or directory"

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "GHSA-1.json")
        for path in (tmp_path, tmp_path / "GHSA-1.json"):
            with pytest.raises(UnreadableInput):
                read_database(str(path), {DEMO})

    def test_what_is_not_on_disk_is_told_so(self) -> None:
        read, write = os.pipe()
        os.write(write, b"PK\x03\x04")
        os.close(write)
        for path in ("/dev/zero", f"/dev/fd/{read}"):
            with pytest.raises(UnreadableInput) as raised:
                read_database(path, {DEMO})
            assert raised.value.hint == "name an archive that is a file on disk, or a folder"
        os.close(read)

    def test_a_link_that_leads_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "GHSA-1.json").symlink_to("none")
        with pytest.raises(UnreadableInput):
            read_database(str(tmp_path), {DEMO})
