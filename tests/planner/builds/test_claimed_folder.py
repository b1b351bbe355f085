"""A folder goes with its owner; that of a killed owner goes when the next one is made."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from planner.builds import claimed_folder as module
from planner.builds.claimed_folder import claimed_folder

PREFIX = "lockstream-order-"

ROOT = Path(module.__file__).parents[2]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_it_is_gone_after_its_use(place: Path) -> None:
    with claimed_folder(PREFIX) as (folder, claim):
        Path(folder, "wheel").write_text("x")
        os.fstat(claim)
        assert names(place) == [Path(folder).name]
    assert names(place) == []


def test_folders_that_are_in_use_stay(place: Path) -> None:
    with claimed_folder(PREFIX) as (first, _), claimed_folder(PREFIX) as (second, _):
        assert names(place) == sorted(Path(one).name for one in (first, second))


def killed_owner(place: Path, *, with_child: bool) -> subprocess.Popen[str]:
    """Kill a process while it uses its folder; return its child, which has the descriptor."""
    code = f"""
        import os, subprocess, sys, tempfile
        sys.path.insert(0, {str(ROOT)!r})
        tempfile.tempdir = {str(place)!r}
        from planner.builds.claimed_folder import claimed_folder
        with claimed_folder({PREFIX!r}) as (folder, claim):
            open(os.path.join(folder, "half"), "w").close()
            if {with_child}:
                subprocess.Popen(["cat"], pass_fds=[claim])
            print("begun", flush=True)
            os.kill(os.getpid(), 9)
        """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    process.wait()
    return process


def test_what_a_killed_owner_left_goes_when_the_next_one_is_made(place: Path) -> None:
    killed_owner(place, with_child=False).communicate()
    (left,) = names(place)
    with claimed_folder(PREFIX) as (folder, _):
        assert names(place) == [Path(folder).name] != [left]


def test_not_while_a_process_that_it_started_goes_on(place: Path) -> None:
    process = killed_owner(place, with_child=True)
    (left,) = names(place)
    with claimed_folder(PREFIX):
        assert left in names(place)
    process.communicate()  # closes the input of the child, which ends
    for _ in range(600):  # it closes its descriptors one after the other
        with claimed_folder(PREFIX):
            if left not in names(place):
                break
        time.sleep(0.1)
    else:
        raise AssertionError("it stays")


def test_nothing_else_is_removed(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "file").write_text("x")
    (place / "lockstream-order-link").symlink_to(elsewhere)
    (place / "lockstream-order-file").write_text("x")
    (place / "lockstream-other").mkdir()
    before = names(place)
    with claimed_folder(PREFIX):
        pass
    assert names(place) == before
    assert (elsewhere / "file").exists()


def test_what_cannot_be_locked_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_owner(place, with_child=False).communicate()
    left = names(place)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("fcntl.flock", refuse)
    with claimed_folder(PREFIX) as (folder, _):
        assert names(place) == sorted([*left, Path(folder).name])


def test_a_folder_that_is_removed_before_it_is_locked_is_made_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = iter([False, True])
    monkeypatch.setattr(module, "try_lock", lambda _: next(locked))
    with claimed_folder(PREFIX) as (folder, _):
        assert Path(folder).is_dir()
    assert len(names(place)) == 1, "the sweeper removes the first one"
