"""Seals: what no copy of a file has."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from executor.files.seals import seal_of


def test_a_file_keeps_its_seal_while_it_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "folder/file"
    path.parent.mkdir()
    path.write_text("text")
    seal = seal_of(str(path))
    path.parent.rename(tmp_path / "other")
    (tmp_path / "other/file").read_text()
    assert seal_of(str(tmp_path / "other/file")) == seal


def test_a_copy_has_another(tmp_path: Path) -> None:
    path, copy = tmp_path / "file", tmp_path / "copy"
    path.write_text("text")
    shutil.copy2(path, copy)
    assert copy.stat().st_mtime_ns == path.stat().st_mtime_ns
    assert seal_of(str(copy)) != seal_of(str(path))


def test_a_file_that_was_written_and_set_back_has_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text")
    seal, times = seal_of(str(path)), path.stat()
    while seal_of(str(path)) == seal:  # the clock of a file system ticks in milliseconds
        path.write_text("evil")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_mtime_ns == times.st_mtime_ns


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_has_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "it"
    if kind == "link":
        (tmp_path / "file").write_text("")
        path.symlink_to("file")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(ValueError, match="is not a file"):
        seal_of(str(path))
