"""Folders: what was made for nothing goes again, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from executor.files.folders import (
    FOLDER,
    entries_of,
    made_folder,
    remove_tree,
)
from executor.files.held_folder import HeldFolder


def fail_below(folder: Path, *files: str) -> None:
    with made_folder(str(folder)):
        for name in files:
            (folder / name).write_text("")
        raise RuntimeError


def test_a_folder_is_made_with_all_above_it(tmp_path: Path) -> None:
    with made_folder(str(tmp_path / "a/b/c")):
        assert (tmp_path / "a/b/c").is_dir()
    assert (tmp_path / "a/b/c").is_dir()


def test_what_was_made_for_nothing_goes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(RuntimeError):
        fail_below(tmp_path / "a/b/c")
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


def test_what_holds_something_stays(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_below(tmp_path / "a/b", "file")
    assert (tmp_path / "a/b/file").exists()


def test_a_tree_goes_with_links_and_what_they_point_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("")
    (tmp_path / "tree/a/b/c").mkdir(parents=True)
    (tmp_path / "tree/a/file").write_text("")
    (tmp_path / "tree/a/b/link").symlink_to(tmp_path / "kept")
    remove_tree(str(tmp_path / "tree"))
    remove_tree(str(tmp_path / "tree"))
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "kept"]


def test_a_tree_of_any_depth_goes(tmp_path: Path) -> None:
    deep = tmp_path / "tree"
    deep.mkdir()
    folder = os.open(deep, FOLDER)
    for _ in range(3000):
        os.mkdir("d", dir_fd=folder)
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        below = os.open("d", FOLDER, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    remove_tree(str(deep))
    assert not deep.exists()


def test_a_tree_without_permissions_goes(tmp_path: Path) -> None:
    (tmp_path / "tree/a/b").mkdir(parents=True)
    (tmp_path / "tree/a/b/file").touch()
    (tmp_path / "tree/a/b").chmod(0)
    (tmp_path / "tree/a").chmod(0o500)
    remove_tree(str(tmp_path / "tree"))
    assert not (tmp_path / "tree").exists()


def test_a_folder_is_listed_from_its_beginning(tmp_path: Path) -> None:
    """What a descriptor has shown before is where btrfs begins with what was made since."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    descriptor = os.open(tmp_path, FOLDER)
    try:
        with os.scandir(descriptor) as half_read:
            next(half_read)
            assert sorted(entries_of(descriptor)) == [("file", False), ("folder", True)]
        with HeldFolder.at(str(tmp_path)) as held:
            assert sorted(held.entries_once()) == [("file", False), ("folder", True)]
    finally:
        os.close(descriptor)


def test_a_descriptor_that_shows_its_folder_once_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """sshfs reads a folder once for each descriptor: the second time it is empty, wherever the
    descriptor is set to. Marks and staged wheels were left, and believed by the next run.
    """
    shown: set[int] = set()
    scandir = os.scandir
    descriptor = os.open(tmp_path, FOLDER)

    def once(folder: int) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        if folder in shown:
            return nullcontext(iter(()))
        shown.add(folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", once)
    try:
        assert entries_of(descriptor) == []
        (tmp_path / "file").touch()
        shown.intersection_update({descriptor})
        assert entries_of(descriptor) == [("file", False)]
    finally:
        os.close(descriptor)
