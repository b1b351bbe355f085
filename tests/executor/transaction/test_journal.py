"""Journal: whole or absent, for one at a time, and nothing stays behind."""

from __future__ import annotations

import fcntl
import os
import shutil
from multiprocessing import get_context
from pathlib import Path

import pytest

from executor.environment.errors import EnvironmentBusy
from executor.transaction.journal import Journal, Move, Removal
from helpers.trees import snapshot
from schemas.errors import ExitCode

ENTRIES: list[Removal | Move] = [
    Removal("/env/old-1.dist-info", "aside/0", ["/env"], ["/env/shared.py"]),
    Move("0/data/scripts", "/env/bin"),
    Move("0/tree", "/env", "demo-1.0.dist-info"),
]


def test_what_is_committed_is_read_back(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    with journal.opened():
        assert not [*journal.removals(), *journal.moves()]
        journal.commit(ENTRIES)
        other = Journal(str(tmp_path))
        assert [*other.removals(), *other.moves()] == ENTRIES
        journal.done()
        assert not [*journal.removals(), *journal.moves()]


def test_nothing_is_left_behind_when_all_is_done(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    with journal.opened():
        Path(journal.folder, "0").mkdir()
        journal.commit(ENTRIES)
        journal.removed()
        journal.done()
    assert snapshot(tmp_path) == {}


def test_nothing_is_left_behind_by_an_error_before_the_commit(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))

    def work() -> None:
        with journal.opened():
            Path(journal.folder, "0").mkdir()
            raise ValueError("before the commit")

    with pytest.raises(ValueError, match="before the commit"):
        work()
    assert snapshot(tmp_path) == {}


def test_an_error_behind_the_commit_leaves_all_that_it_takes_to_finish(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))

    def work() -> None:
        with journal.opened():
            Path(journal.folder, "0").mkdir()
            journal.commit(ENTRIES)
            raise ValueError("behind the commit")

    with pytest.raises(ValueError, match="behind the commit"):
        work()
    assert [*journal.removals(), *journal.moves()] == ENTRIES
    assert Path(journal.folder, "0").is_dir()


def test_it_is_cleared_of_everything_but_a_journal(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    with journal.opened():
        Path(journal.folder, "0/tree").mkdir(parents=True)
        Path(journal.folder, "link").symlink_to(tmp_path)
        Path(journal.folder, "journal.new").write_text("torn")
        journal.commit(ENTRIES)
        journal.clear()
        assert os.listdir(journal.folder) == ["journal"]
        journal.done()
    assert tmp_path.is_dir()


def test_removals_are_known_to_be_done(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    with journal.opened():
        assert not journal.is_removed
        journal.removed()
        assert Journal(str(tmp_path)).is_removed


class TestOneAtATime:
    def test_another_is_refused_and_changes_nothing(self, tmp_path: Path) -> None:
        with Journal(str(tmp_path)).opened():
            Path(tmp_path, ".lockstream/0").mkdir()
            before = snapshot(tmp_path)
            with pytest.raises(EnvironmentBusy) as caught, Journal(str(tmp_path)).opened():
                pass
            assert snapshot(tmp_path) == before
        assert str(caught.value) == f"{tmp_path}: another lockstream is changing this environment"
        assert caught.value.exit_code is ExitCode.REFUSED
        assert snapshot(tmp_path) == {}

    def test_a_killed_one_does_not_keep_others_out(self, tmp_path: Path) -> None:
        child = get_context("fork").Process(target=_hold_and_die, args=(str(tmp_path),))
        child.start()
        child.join()
        assert child.exitcode == 9
        assert Path(tmp_path, ".lockstream/0").is_dir()
        with (journal := Journal(str(tmp_path))).opened():
            journal.clear()
        assert snapshot(tmp_path) == {}

    def test_the_folder_that_is_locked_is_the_one_that_is_used(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever leaves removes the folder, maybe between our opening and our locking of it."""
        locked = fcntl.flock
        left: list[Path] = []

        def leave_then_lock(descriptor: int, operation: int) -> None:
            if not left:
                left.append(tmp_path / ".lockstream")
                shutil.rmtree(left[0])
            locked(descriptor, operation)

        monkeypatch.setattr(fcntl, "flock", leave_then_lock)
        with (journal := Journal(str(tmp_path))).opened():
            Path(journal.folder, "0").mkdir()
            with pytest.raises(EnvironmentBusy), Journal(str(tmp_path)).opened():
                pass
        assert left
        assert snapshot(tmp_path) == {}


def _hold_and_die(packages: str) -> None:
    with (journal := Journal(packages)).opened():
        os.mkdir(os.path.join(journal.folder, "0"))
        os._exit(9)
