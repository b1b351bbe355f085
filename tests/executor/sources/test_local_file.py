"""A file on this machine is read in chunks, and recognised by its size and hashes."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import NoReturn

import pytest

from executor.sources.errors import Unreachable
from executor.sources.local_file import holds_file, read_file

CONTENT = bytes(range(256)) * 1200
HASHES = (("sha256", hashlib.sha256(CONTENT).hexdigest()),)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> str:
    (tmp_path / "file").write_bytes(CONTENT)
    return str(tmp_path / "file")


def test_it_is_read_in_bounded_chunks(path: str) -> None:
    chunks = list(read_file(path))
    assert b"".join(chunks) == CONTENT
    assert max(map(len, chunks)) <= 128 << 10


def test_it_is_read_from_any_byte_on(path: str) -> None:
    assert b"".join(read_file(path, 1000)) == CONTENT[1000:]


def test_one_that_cannot_be_read_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable) as caught:
        next(read_file(str(tmp_path / "absent")))
    assert str(caught.value) == f"{tmp_path}/absent: cannot be read: No such file or directory"
    assert caught.value.hint == "the lock names this path; put the file there, or lock it by URL"


def test_one_that_may_not_be_read_says_what_helps(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_path: str) -> NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("executor.sources.local_file.open_regular", denied)
    with pytest.raises(Unreachable) as caught:
        next(read_file(path))
    assert caught.value.hint == "let this user read the file and the folders above it"


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_limit_of_the_process_is_not_a_fault_of_the_file(
    path: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(_path: str) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("executor.sources.local_file.open_regular", refused)
    with pytest.raises(OSError, match=os.strerror(number)):
        next(read_file(path))


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_the_locked_file_is_recognised(path: str, size: int | None) -> None:
    assert holds_file(path, size, HASHES)


@pytest.mark.parametrize(
    ("size", "hashes"),
    [(len(CONTENT) - 1, HASHES), (None, (("sha256", "00" * 32),))],
    ids=["size", "hash"],
)
def test_another_file_is_not(path: str, size: int | None, hashes: tuple[tuple[str, str]]) -> None:
    assert not holds_file(path, size, hashes)


def test_neither_is_a_folder_or_nothing(tmp_path: Path) -> None:
    assert not holds_file(str(tmp_path), None, HASHES)
    assert not holds_file(str(tmp_path / "absent"), None, HASHES)
