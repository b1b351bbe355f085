"""The folder of an order goes with it; that of a killed worker goes with the next order."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from planner.engines import order_folder as module
from planner.engines.order_folder import order_folder

ROOT = Path(module.__file__).parents[2]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_it_is_gone_after_the_order(place: Path) -> None:
    with order_folder() as (folder, claim):
        Path(folder, "wheel").write_text("x")
        os.fstat(claim)
        assert names(place) == [Path(folder).name]
    assert names(place) == []


def test_folders_that_are_in_use_stay(place: Path) -> None:
    with order_folder() as (first, _), order_folder() as (second, _):
        assert names(place) == sorted(Path(one).name for one in (first, second))


def killed_order(place: Path, *, with_child: bool) -> subprocess.Popen[str]:
    """Kill a process in the middle of its order; return its child, which has the descriptor."""
    code = f"""
        import os, subprocess, sys, tempfile
        sys.path.insert(0, {str(ROOT)!r})
        tempfile.tempdir = {str(place)!r}
        from planner.engines.order_folder import order_folder
        with order_folder() as (folder, claim):
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


def test_what_a_killed_worker_left_goes_with_the_next_order(place: Path) -> None:
    killed_order(place, with_child=False).communicate()
    (left,) = names(place)
    with order_folder() as (folder, _):
        assert names(place) == [Path(folder).name] != [left]


def test_not_while_its_build_goes_on(place: Path) -> None:
    process = killed_order(place, with_child=True)
    (left,) = names(place)
    with order_folder():
        assert left in names(place)
    process.communicate()  # closes the input of the child, which ends; it holds the output open
    with order_folder():
        assert left not in names(place)


def test_nothing_else_is_removed(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "file").write_text("x")
    (place / "lockstream-order-link").symlink_to(elsewhere)
    (place / "lockstream-order-file").write_text("x")
    (place / "lockstream-other").mkdir()
    before = names(place)
    with order_folder():
        pass
    assert names(place) == before
    assert (elsewhere / "file").exists()


def test_what_cannot_be_locked_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_order(place, with_child=False).communicate()
    left = names(place)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("fcntl.flock", refuse)
    with order_folder() as (folder, _):
        assert names(place) == sorted([*left, Path(folder).name])


def test_a_folder_that_is_removed_before_it_is_locked_is_made_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = iter([False, True])
    monkeypatch.setattr(module, "try_lock", lambda _: next(locked))
    with order_folder() as (folder, _):
        assert Path(folder).is_dir()
    assert len(names(place)) == 1, "the sweeper removes the first one"
