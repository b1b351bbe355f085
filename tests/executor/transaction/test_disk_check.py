"""What is copied to another file system must fit there, before anything is moved."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.budget.budget import Budget
from executor.budget.errors import BudgetTooSmall
from executor.environment.places import Ways
from executor.files.errors import NotEnoughDisk, NotEnoughInodes
from executor.files.held_folder import HeldFolder
from executor.transaction.disk_check import check_moves
from executor.transaction.journal_entries import Move
from executor.transaction.landing import landings
from helpers.environments import schemes_below
from schemas.errors import NotEnough

FREE = 10 << 20

UNLIMITED = Budget(None, "no limit", 1, None)


@pytest.fixture(name="staging")
def _staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A staging folder, and an environment whose ``bin`` is on a small file system."""
    staging = tmp_path / "env/lib/site-packages/.lockstream"
    (staging / "0/data/scripts").mkdir(parents=True)
    (tmp_path / "env/bin").mkdir()

    def device(path: str) -> int:
        return 2 if f"{path}/".startswith(f"{tmp_path}/env/bin/") else 1

    values = (4096, 4096, 9, FREE // 4096, FREE // 4096, 9, 9, 5, 0, 255)
    monkeypatch.setattr("executor.transaction.disk_check.device_of", device)
    monkeypatch.setattr("executor.files.disk_space.os.statvfs", lambda _: os.statvfs_result(values))
    return staging


def check(staging: Path, *sizes: int, to: str = "bin", budget: Budget = UNLIMITED) -> None:
    for number, size in enumerate(sizes):
        with open(staging / f"0/data/scripts/{number}", "wb") as file:
            file.truncate(size)
    env = staging.parents[2]
    moves = [Move("0/data/scripts", str(env / to))]
    with HeldFolder.at(str(staging)) as held:
        check_moves(landings(moves, held, Ways(schemes_below(env).roots)), held, [], budget)


def test_what_is_renamed_takes_no_room(staging: Path) -> None:
    check(staging, 2 * FREE, to="lib/site-packages")


def test_what_is_copied_has_to_fit(staging: Path) -> None:
    check(staging, FREE)
    with pytest.raises(NotEnoughDisk, match=r"env/bin: needs 11 MiB of disk, 10 MiB are free"):
        check(staging, FREE, 1)


@pytest.mark.parametrize(("files", "fits"), [(5, True), (6, False)])
def test_every_file_takes_an_inode(staging: Path, files: int, fits: bool) -> None:
    if fits:
        check(staging, *[0] * files)
        return
    with pytest.raises(NotEnoughInodes) as caught:
        check(staging, *[0] * files)
    assert isinstance(caught.value, NotEnough)


@pytest.mark.parametrize(("files", "fits"), [(3, True), (4, False)])
def test_what_an_overlay_hides_takes_inodes(
    tmp_path: Path, staging: Path, monkeypatch: pytest.MonkeyPatch, files: int, fits: bool
) -> None:
    """One for each file of a lower layer, and two for their folder; five are free."""
    going = [str(tmp_path / f"env/lib/{name}") for name in ("upper", *map(str, range(files)))]
    for path in going:
        Path(path).touch()

    def lstat(path: str) -> os.stat_result:
        device = tmp_path.stat().st_dev + (not path.endswith("upper"))
        return os.stat_result((0, 0, device, *[0] * 7))

    monkeypatch.setattr("executor.transaction.disk_check.os.lstat", lstat)
    with HeldFolder.at(str(staging)) as held:
        check_moves([], held, going, UNLIMITED)
        monkeypatch.setattr("executor.transaction.disk_check.is_overlay", lambda _: True)
        if fits:
            check_moves([], held, going, UNLIMITED)
            return
        with pytest.raises(NotEnoughInodes, match=r"needs 6 inodes, 5 are free"):
            check_moves([], held, going, UNLIMITED)


def test_what_is_copied_to_a_file_system_that_is_memory_has_to_fit_there_too(
    staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = Budget(30 << 20, "--memory", 1, None)
    check(staging, 9 << 20, budget=budget)
    monkeypatch.setattr("executor.transaction.disk_check.is_in_memory", lambda _: True)
    check(staging, 7 << 20, budget=budget)
    with pytest.raises(BudgetTooSmall) as caught:
        check(staging, 9 << 20, budget=budget)
    assert "the files on a tmpfs 10 MiB, but --memory leaves 30 MiB" in str(caught.value)
    assert caught.value.hint == "give it at least 34 MiB with --memory; or install onto a disk"
