"""Rows of RECORD are read strictly, and written so that other programs read them."""

from __future__ import annotations

import csv
import hashlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.files.held_folder import HeldFolder
from executor.wheels.records import NEW_SUFFIX, InvalidRecord, RecordRow, RecordWriter, read_rows
from schemas.digests import encode_digest

SHA256 = hashlib.sha256(b"data").digest()
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)
SPELLED = f"sha256={encode_digest(SHA256)}"


def read(text: str) -> list[RecordRow]:
    return list(read_rows(text.splitlines(keepends=True)))


class TestReading:
    def test_a_row_gives_path_hash_and_size(self) -> None:
        assert read(f"a/b.py,{SPELLED},4\n") == [RecordRow("a/b.py", "sha256", SHA256, 4)]

    def test_hash_and_size_may_be_absent(self) -> None:
        assert read("RECORD,,\n\na,,7\n") == [
            RecordRow("RECORD", "", b"", None),
            RecordRow("a", "", b"", 7),
        ]

    def test_quoted_paths_are_read(self) -> None:
        (row,) = read(f'"a, ""b"".py",{SPELLED},4\r\n')
        assert row.path == 'a, "b".py'

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            pytest.param("a\n", "row 1 has 1 fields, not 3", id="fields"),
            pytest.param("a,,,\n", "row 1 has 4 fields, not 3", id="more fields"),
            pytest.param(
                "a,,\nb,md5=1B2M2Y8AsgTpgAmY7PhCfg,0\n",
                "row 2 has a hash of 'md5', which is not secure",
                id="md5",
            ),
            pytest.param(
                "a,0000,4\n", "row 1 has a hash of '0000', which is not secure", id="no algorithm"
            ),
            pytest.param("a,sha256=*,4\n", "row 1 has a hash that is not base64", id="base64"),
            pytest.param("a,sha256=ä,4\n", "row 1 has a hash that is not base64", id="not ASCII"),
            pytest.param("a,sha256=AAAA,4\n", "row 1 has a sha256 of 3 bytes", id="short"),
            pytest.param(
                f"a,sha256={encode_digest(SHA256 + b'4')},4\n",
                "row 1 has a sha256 of 33 bytes",
                id="long",
            ),
            pytest.param(
                f"a,{SPELLED},-4\n", "row 1 has '-4' where a size should be", id="negative size"
            ),
            pytest.param(
                f"a,{SPELLED},٤\n", "row 1 has '٤' where a size should be", id="other digits"
            ),
            pytest.param('"a,,\n', "it is not CSV: unexpected end of data", id="open quote"),
            pytest.param(
                f'"{"a" * 140_000}",,\n',
                "it is not CSV: field larger than field limit (131072)",
                id="field",
            ),
        ],
    )
    def test_what_is_malformed_is_refused_with_its_row(self, text: str, message: str) -> None:
        with pytest.raises(InvalidRecord) as caught:
            read(text)
        assert str(caught.value) == message

    @pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "blake2b", "sha3_256"])
    def test_every_secure_hash_is_read(self, algorithm: str) -> None:
        digest = hashlib.new(algorithm, b"data").digest()
        (row,) = read(f"a,{algorithm}={encode_digest(digest)},\n")
        assert (row.algorithm, row.digest, row.size) == (algorithm, digest, None)

    def test_a_hexadecimal_hash_is_read(self) -> None:
        """As in the wheels of gmsh."""
        assert read(f"a,sha256={SHA256.hex()},4\n") == read(f"a,{SPELLED},4\n")

    @given(st.text(max_size=80))
    def test_noise_is_read_or_refused_and_nothing_else_happens(self, text: str) -> None:
        with suppress(InvalidRecord):
            assert all(isinstance(row, RecordRow) for row in read(text))


class TestWriting:
    def test_it_ends_with_its_own_row_and_counts(self, tmp_path: Path) -> None:
        (tmp_path / "d.dist-info").mkdir()
        with (
            HeldFolder.at(str(tmp_path)) as folder,
            RecordWriter(folder, "d.dist-info/RECORD") as record,
        ):
            record.add("a.py", SHA256, 4)
            record.add("../bin/run, now", SHA256, 5)
        assert (tmp_path / "d.dist-info/RECORD").read_text() == (
            f'a.py,{SPELLED},4\n"../bin/run, now",{SPELLED},5\nd.dist-info/RECORD,,\n'
        )
        assert (record.files, record.bytes) == (3, 9)
        content = (tmp_path / "d.dist-info/RECORD").read_bytes()
        assert record.digest == f"sha256={encode_digest(hashlib.sha256(content).digest())}"

    def test_it_takes_the_place_of_a_file_only_when_it_is_complete(self, tmp_path: Path) -> None:
        path = tmp_path / "RECORD"
        path.write_text("the wheel's")

        def write() -> None:
            with HeldFolder.at(str(tmp_path)) as folder, RecordWriter(folder, "RECORD") as record:
                record.add("a.py", SHA256, 4)
                assert path.read_text() == "the wheel's"
                raise ValueError("stop")

        with pytest.raises(ValueError, match="stop"):
            write()
        assert path.read_text() == "the wheel's"

    def test_it_never_writes_over_a_file_of_the_name_it_has_meanwhile(self, tmp_path: Path) -> None:
        other = tmp_path / f"RECORD{NEW_SUFFIX}"
        other.write_text("other")
        with HeldFolder.at(str(tmp_path)) as folder, pytest.raises(FileExistsError):
            RecordWriter(folder, "RECORD")
        assert other.read_text() == "other"

    @given(st.lists(NAMES, max_size=8))
    def test_any_path_comes_back_by_our_reader_and_by_csv(
        self, tmp_path_factory: pytest.TempPathFactory, paths: list[str]
    ) -> None:
        path = tmp_path_factory.mktemp("record") / "RECORD"
        with HeldFolder.at(str(path.parent)) as folder, RecordWriter(folder, "RECORD") as record:
            for number, name in enumerate(paths):
                record.add(name, SHA256, number)
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(read_rows(lines))
        assert [(row.path, row.size) for row in rows[:-1]] == [
            (name, number) for number, name in enumerate(paths)
        ]
        assert rows[-1] == RecordRow("RECORD", "", b"", None)
        with path.open(encoding="utf-8", newline="") as lines:
            assert [row[0] for row in csv.reader(lines)] == [*paths, "RECORD"]
