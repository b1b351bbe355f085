"""Copies appear at once, are whole, and go through no link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from executor.files.copies import copy_file, copy_folder, remove_copied
from executor.files.held_folder import HeldFolder
from helpers.trees import snapshot


@pytest.fixture(name="folders")
def _folders(tmp_path: Path) -> Iterator[tuple[HeldFolder, HeldFolder]]:
    (tmp_path / "from/d/sub").mkdir(parents=True)
    (tmp_path / "to").mkdir()
    (tmp_path / "from/d/sub/file").write_text("text")
    (tmp_path / "from/d/RECORD").write_text("record")
    (tmp_path / "from/d/link").symlink_to("../outside")
    (tmp_path / "from/d/RECORD").chmod(0o640)
    (tmp_path / "from/d/sub").chmod(0o750)
    os.utime(tmp_path / "from/d/RECORD", ns=(1_000_000_007, 2_000_000_009))
    with ExitStack() as stack:
        source, there = (
            stack.enter_context(HeldFolder.at(f"{tmp_path}/{name}")) for name in ("from", "to")
        )
        yield source, there


def test_a_folder_is_copied_with_modes_times_and_links(
    folders: tuple[HeldFolder, HeldFolder], tmp_path: Path
) -> None:
    source, there = folders
    copy_folder(source, "d", there, "copy")
    assert snapshot(tmp_path / "to/copy") == snapshot(tmp_path / "from/d")
    status = (tmp_path / "to/copy/RECORD").stat()
    assert status.st_mode & 0o777 == 0o640
    assert status.st_mtime_ns == 2_000_000_009
    assert os.readlink(tmp_path / "to/copy/link") == "../outside"


def test_what_a_killed_run_left_is_replaced(
    folders: tuple[HeldFolder, HeldFolder], tmp_path: Path
) -> None:
    source, there = folders
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("kept")
    (tmp_path / "to/.lockstream-new").symlink_to(tmp_path / "outside")
    copy_folder(source, "d", there, "one")
    (tmp_path / "to/.lockstream-new").mkdir()
    (tmp_path / "to/.lockstream-new/half").write_text("")
    copy_file(source, "d/RECORD", there, "one/RECORD")
    copy_file(source, "d/RECORD", there, "two")
    assert sorted(os.listdir(tmp_path / "to")) == ["one", "two"]
    assert os.listdir(tmp_path / "outside") == ["file"]


def test_a_file_takes_the_place_of_a_link(
    folders: tuple[HeldFolder, HeldFolder], tmp_path: Path
) -> None:
    source, there = folders
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "to/file").symlink_to(tmp_path / "victim")
    copy_file(source, "d/RECORD", there, "file")
    assert (tmp_path / "to/file").read_text() == "record"
    assert (tmp_path / "victim").read_text() == "kept"


def test_what_was_copied_is_removed_and_no_more(
    folders: tuple[HeldFolder, HeldFolder], tmp_path: Path
) -> None:
    source, _ = folders
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("kept")
    (tmp_path / "from/d/out").symlink_to(tmp_path / "outside")
    remove_copied(source, "d")
    assert source.names() == []
    assert (tmp_path / "outside/file").read_text() == "kept"
