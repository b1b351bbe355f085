"""The RECORD that a wheel ships: rows are read with bounds, and only for files of the wheel."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executor.files.held_folder import HeldFolder
from executor.wheels import shipped_record
from executor.wheels.dist_info import DistInfo
from executor.wheels.layout import Layout
from executor.wheels.records import InvalidRecord
from executor.wheels.shipped_record import MAX_LINE, MAX_RECORD_SIZE, ShippedRecord
from schemas.digests import encode_digest

CODE = b"pass\n"
SHA256 = hashlib.sha256(CODE).digest()
INFO = "demo-1.0.dist-info"


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Iterator[HeldFolder]:
    (tmp_path / INFO).mkdir()
    (tmp_path / "demo.py").write_bytes(CODE)
    with HeldFolder.at(str(tmp_path)) as held:
        yield held


def shipped(tree: HeldFolder, record: str | bytes | None) -> ShippedRecord:
    if record is not None:
        content = record.encode() if isinstance(record, str) else record
        Path(tree.path, INFO, "RECORD").write_bytes(content)
    return ShippedRecord(DistInfo.find(Layout.of("demo-1.0-py3-none-any.whl"), tree))


def row(path: str, algorithm: str = "sha256", size: object = len(CODE)) -> str:
    return f"{path},{algorithm}={encode_digest(hashlib.new(algorithm, CODE).digest())},{size}\n"


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("size", [len(CODE), ""])
def test_a_row_with_any_secure_hash_states_the_sha256(
    tree: HeldFolder, algorithm: str, size: object
) -> None:
    record = shipped(tree, row("demo.py", algorithm, size) + f"{INFO}/RECORD,,\n")
    assert list(record.stated(is_hashed=True)) == [("demo.py", SHA256, len(CODE))]
    assert list(record.stated(is_hashed=False)) == [("demo.py", b"", len(CODE))]


def test_files_that_need_no_row_are_exempt_if_the_wheel_has_them(tree: HeldFolder) -> None:
    Path(tree.path, INFO, "RECORD.jws").write_text("{}")
    record = shipped(tree, f"{INFO}/RECORD.p7s,,\n" + row("demo.py"))
    assert record.exempt_files() == [f"{INFO}/RECORD", f"{INFO}/RECORD.jws"]
    assert [path for path, _, _ in record.stated(is_hashed=True)] == ["demo.py"]


def test_a_mark_before_the_first_row_is_no_part_of_its_path(tree: HeldFolder) -> None:
    record = shipped(tree, "\ufeff" + row("demo.py"))
    assert list(record.stated(is_hashed=True)) == [("demo.py", SHA256, len(CODE))]


WRONG: list[Any] = [
    pytest.param(None, "it is missing", id="missing"),
    pytest.param(b"\xff" + row("demo.py").encode(), "it is not UTF-8 text", id="not UTF-8"),
    pytest.param(f"{INFO}/RECORD,sha256={'A' * 43},1\n", "it gives a hash of itself", id="itself"),
    pytest.param("demo.py,,\n", "its row for 'demo.py' has no hash", id="no hash"),
    pytest.param(
        row("gone.py", "sha512"), "its row for 'gone.py' is for no file of the wheel", id="absent"
    ),
    pytest.param(
        row("/dev/zero", "sha512"),
        "its row for '/dev/zero' is for no file of the wheel",
        id="endless",
    ),
    pytest.param(
        row("../x", "sha512"), "its row for '../x' is for no file of the wheel", id="outside"
    ),
    pytest.param(
        "demo.py,sha512=" + encode_digest(bytes(64)) + ",5\n",
        "its sha512 of 'demo.py' differs",
        id="another hash",
    ),
    pytest.param(
        "x" * MAX_LINE + ",,\n", "it has a line of more than 4096 characters", id="long line"
    ),
]


@pytest.mark.parametrize(("record", "message"), WRONG)
def test_what_is_wrong_with_it_is_said(
    tree: HeldFolder, record: str | bytes | None, message: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        list(shipped(tree, record).stated(is_hashed=True))
    assert str(caught.value) == message


def test_one_that_is_larger_than_any_is_refused(
    tree: HeldFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_RECORD_SIZE == 64 << 20
    limit = len(row("demo.py")) - 1
    monkeypatch.setattr(shipped_record, "MAX_RECORD_SIZE", limit)
    with pytest.raises(InvalidRecord, match=f"it is larger than {limit} bytes"):
        list(shipped(tree, row("demo.py")).stated(is_hashed=True))


def test_a_disk_that_fails_is_no_fault_of_the_wheel(
    tree: HeldFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = shipped(tree, row("demo.py", "sha512"))

    def fail(_: HeldFolder, name: str) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO), name)

    monkeypatch.setattr(HeldFolder, "open", fail)
    with pytest.raises(OSError, match="Input/output error"):
        list(record.stated(is_hashed=True))
