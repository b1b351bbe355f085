"""A file system has to have the bytes and the inodes that will be written to it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from executor.files.disk_space import Need, check_space
from executor.files.errors import NotEnoughDisk, NotEnoughInodes

MIB = 1 << 20


@pytest.fixture(autouse=True)
def small_disk(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A file system with 10 MiB and 100 inodes left for users."""
    state = SimpleNamespace(f_blocks=20, f_bavail=10, f_frsize=MIB, f_files=1000, f_favail=100)
    monkeypatch.setattr("executor.files.disk_space.os.statvfs", lambda _: state)
    return state


def test_what_fits_exactly_is_accepted(tmp_path: Path) -> None:
    check_space(str(tmp_path), Need(10 * MIB, 100))


def test_a_byte_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDisk, match="needs 11 MiB of disk, 10 MiB are free") as caught:
        check_space(str(tmp_path), Need(10 * MIB + 1, 0), "nothing was written; ")
    assert caught.value.hint == "nothing was written; free space there, or name another place"


def test_an_inode_too_many_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughInodes, match="needs 101 inodes, 100 are free"):
        check_space(str(tmp_path), Need(0, 101))


def test_a_file_system_that_makes_inodes_as_it_needs_them_has_enough(
    tmp_path: Path, small_disk: SimpleNamespace
) -> None:
    small_disk.f_files = small_disk.f_favail = 0
    check_space(str(tmp_path), Need(0, 10**9))


def test_a_file_system_that_states_no_size_has_enough(
    tmp_path: Path, small_disk: SimpleNamespace
) -> None:
    small_disk.f_blocks = small_disk.f_bavail = 0
    check_space(str(tmp_path), Need(10**12, 0))


def test_a_path_that_is_absent_stands_for_the_folder_above_it(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDisk) as caught:
        check_space(str(tmp_path / "not" / "there"), Need(11 * MIB))
    assert caught.value.path == str(tmp_path)


def test_a_tree_counts_whole_blocks_folders_and_links(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"x")
    (tmp_path / "a" / "b" / "two").write_bytes(bytes(4097))
    (tmp_path / "empty").touch()
    need = Need()
    need.add_tree(str(tmp_path))
    assert (need.bytes, need.inodes) == (3 * 4096, 5)
    assert os.path.isdir(tmp_path)


@pytest.mark.parametrize("refusal", [errno.EPERM, errno.ENOSYS])
def test_what_is_free_is_not_known_if_a_filter_refuses_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    def refused(_: str) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr("executor.files.disk_space.os.statvfs", refused)
    check_space(str(tmp_path), Need(1 << 60, 1 << 40))
