"""Journal: whole or absent, for one at a time, and nothing stays behind."""

from __future__ import annotations

import errno
import fcntl
import gc
import os
import shutil
import sys
from contextlib import suppress
from io import FileIO
from multiprocessing import get_context
from pathlib import Path

import pytest

from executor.environment.errors import EnvironmentBusy
from executor.files.held_folder import HeldFolder
from executor.transaction.errors import JournalRefused, StagingRefused
from executor.transaction.journal import Journal
from executor.transaction.journal_entries import Move, Removal
from helpers.trees import snapshot
from helpers.users import NOBODY
from schemas.errors import ExitCode

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="gives files to another user")

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


def test_a_removal_that_follows_a_move_is_refused(tmp_path: Path) -> None:
    """It would be made before the move, or not at all."""
    journal = Journal(str(tmp_path))
    with journal.opened():
        journal.commit([ENTRIES[1], ENTRIES[0]])
        assert not list(journal.removals())
        with pytest.raises(JournalRefused, match="line 3 is not an entry of a journal"):
            list(journal.moves())
        journal.withdraw()


def test_an_error_of_closing_what_was_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(FileIO):
        def close(self) -> None:
            is_first = not self.closed
            super().close()
            if is_first:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    def opened(held: HeldFolder, name: str) -> Failing:
        return Failing(os.open(name, os.O_RDONLY, dir_fd=held.descriptor))

    journal = Journal(str(tmp_path))
    with journal.opened():
        journal.commit(ENTRIES)
        monkeypatch.setattr(HeldFolder, "open", opened)
        unheard: list[object] = []
        monkeypatch.setattr(sys, "unraisablehook", unheard.append)
        assert next(journal.removals()) == ENTRIES[0]
        assert [*journal.removals(), *journal.moves()] == ENTRIES
        gc.collect()
        assert unheard == []
        journal.done()


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


def test_a_mark_of_removals_is_of_one_commit(tmp_path: Path) -> None:
    """With one that an earlier run could not remove, both versions of a package were installed."""
    journal = Journal(str(tmp_path))
    with journal.opened():
        journal.removed()
        journal.commit(ENTRIES)
        assert not journal.is_removed
        journal.withdraw()


def test_it_is_obeyed_where_its_folder_is_now(tmp_path: Path) -> None:
    """A copied or moved environment is finished in its new place."""
    packages = tmp_path / "env/lib"
    packages.mkdir(parents=True)
    journal = Journal(str(packages))
    with suppress(ValueError), journal.opened():
        journal.commit(
            [Move("0/tree", str(packages)), Move("0/data/scripts", f"{tmp_path}/env/bin")]
        )
        raise ValueError
    (tmp_path / "env").rename(tmp_path / "moved")
    moved = Journal(str(tmp_path / "moved/lib"))
    assert [move.destination for move in moved.moves()] == [
        f"{tmp_path}/moved/lib",
        f"{tmp_path}/moved/bin",
    ]
    assert str(tmp_path) not in (tmp_path / "moved/lib/.lockstream/journal").read_text()


def test_one_that_is_withdrawn_is_not_finished(tmp_path: Path) -> None:
    with (journal := Journal(str(tmp_path))).opened():
        reached = []
        for end in (journal.withdraw, journal.done):
            journal.commit(ENTRIES)
            reached.append(journal.reached)
            end()
            reached.append(journal.reached)
    assert reached == ["commit", "nothing", "commit", "end"]


class TestOfAnotherOrigin:
    """A checkout, an archive or another user may have made the staging folder."""

    def test_a_link_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "precious").mkdir()
        (tmp_path / "precious/file").write_text("")
        (tmp_path / "env").mkdir()
        (tmp_path / "env/.lockstream").symlink_to(tmp_path / "precious")
        with pytest.raises(StagingRefused, match="is a link or a file"):
            opened(tmp_path / "env")
        assert os.listdir(tmp_path / "precious") == ["file"]

    @pytest.mark.parametrize("mode", [0o777, 0o775])
    def test_one_that_others_may_write_is_not_used(self, tmp_path: Path, mode: int) -> None:
        tmp_path.chmod(0o755)
        (tmp_path / ".lockstream").mkdir()
        (tmp_path / ".lockstream").chmod(mode)
        with pytest.raises(StagingRefused, match="other users may write to it"):
            opened(tmp_path)

    @pytest.mark.parametrize("mode", [0o775, 0o777])
    def test_who_may_change_the_packages_may_stage(self, tmp_path: Path, mode: int) -> None:
        """On vfat and in shared folders of virtual machines everything has all rights."""
        tmp_path.chmod(mode)
        (tmp_path / ".lockstream").mkdir()
        (tmp_path / ".lockstream").chmod(mode)
        opened(tmp_path)
        assert snapshot(tmp_path) == {}

    def test_in_a_sticky_folder_each_stages_alone(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o1777)
        (tmp_path / ".lockstream").mkdir()
        (tmp_path / ".lockstream").chmod(0o777)
        with pytest.raises(StagingRefused, match="other users may write to it"):
            opened(tmp_path)

    @needs_root
    @pytest.mark.parametrize("is_owner", [True, False])
    def test_it_belongs_to_root_the_user_or_the_owner_of_the_packages(
        self, tmp_path: Path, is_owner: bool
    ) -> None:
        (tmp_path / ".lockstream").mkdir()
        os.chown(tmp_path / ".lockstream", NOBODY, NOBODY)
        if is_owner:
            os.chown(tmp_path, NOBODY, NOBODY)
            opened(tmp_path)
            return
        with pytest.raises(StagingRefused) as caught:
            opened(tmp_path)
        assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED
        assert caught.value.hint == f"remove {tmp_path}/.lockstream and run the command again"

    def test_whatever_the_umask_only_its_owner_may_write_to_it(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        before = os.umask(0)
        try:
            with (journal := Journal(str(tmp_path))).opened():
                journal.commit(ENTRIES)
                journal.removed()
                modes = [path.stat().st_mode & 0o777 for path in Path(journal.folder).iterdir()]
                modes.append(Path(journal.folder).stat().st_mode & 0o777)
                journal.done()
        finally:
            os.umask(before)
        assert sorted(modes) == [0o644, 0o644, 0o755]

    def test_a_mark_that_is_a_link_is_not_followed(self, tmp_path: Path) -> None:
        with (journal := Journal(str(tmp_path / "env"))).opened():
            Path(journal.folder, "removed").symlink_to(tmp_path / "new")
            assert journal.is_removed
            with pytest.raises(FileExistsError):
                journal.removed()
        assert not (tmp_path / "new").exists()


def opened(packages: Path) -> None:
    with Journal(str(packages)).opened():
        pass


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
