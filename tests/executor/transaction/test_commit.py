"""Commit: moves and removals can be repeated from any point, and end in the same tree."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from executor.files.held_folder import HeldFolder
from executor.transaction.commit import apply, moves_of
from executor.transaction.journal import Journal
from executor.transaction.journal_entries import Move, Removal
from helpers.environments import schemes_below, stage
from helpers.trees import snapshot
from helpers.wheels import build_wheel


@pytest.fixture(name="packages")
def _packages(tmp_path: Path) -> Path:
    (tmp_path / "packages").mkdir()
    return tmp_path / "packages"


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def files_below(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


STAGED = {
    "0/tree/demo/a.py": "a",
    "0/tree/demo/sub/b.py": "b",
    "0/tree/demo-1.0.dist-info/RECORD": "record",
    "0/data/scripts/demo": "script",
}


def moves(packages: Path) -> list[Move]:
    return [
        Move("0/data/scripts", str(packages.parent / "bin")),
        Move("0/tree", str(packages), "demo-1.0.dist-info"),
    ]


EXPECTED = {
    "bin/demo": "script",
    "packages/demo/a.py": "a",
    "packages/demo/sub/b.py": "b",
    "packages/demo-1.0.dist-info/RECORD": "record",
}


def test_moves_are_the_data_folders_first_and_the_root_last(tmp_path: Path) -> None:
    schemes = schemes_below(tmp_path / "env")
    wheel = build_wheel(data_files={"scripts/x": "", "headers/x.h": "", "data/x": ""})
    staging = tmp_path / "staging"
    staged = stage(wheel, staging / "0", schemes=schemes)
    with HeldFolder.at(str(staging)) as held:
        moved = moves_of(staged, schemes, held)
    assert moved == [
        Move("0/data/headers", str(tmp_path / "env/include/demo")),
        Move("0/data/scripts", str(tmp_path / "env/bin")),
        Move("0/data/data", str(tmp_path / "env")),
        Move("0/tree", str(tmp_path / "env/lib/site-packages"), wheel.dist_info),
    ]


class TestMoves:
    def test_everything_is_moved_and_nothing_stays(self, tmp_path: Path, packages: Path) -> None:
        with (journal := Journal(str(packages))).opened():
            write(Path(journal.folder), STAGED)
            journal.commit(moves(packages))
            apply(journal)
            assert not [*journal.removals(), *journal.moves()]
        assert files_below(tmp_path) == EXPECTED

    def test_folders_that_are_there_already_are_shared(
        self, tmp_path: Path, packages: Path
    ) -> None:
        write(packages, {"demo/other.py": "other", "demo/sub/b.py": "b"})
        with (journal := Journal(str(packages))).opened():
            write(Path(journal.folder), STAGED)
            journal.commit(moves(packages))
            apply(journal)
        assert files_below(tmp_path) == EXPECTED | {"packages/demo/other.py": "other"}

    def test_dist_info_comes_when_all_else_is_there(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        renamed: list[str] = []
        rename = os.rename

        def watched(source: str, destination: str, *, dst_dir_fd: int, **keywords: Any) -> None:
            if destination.endswith(".dist-info"):
                expected = dict(EXPECTED)
                del expected["packages/demo-1.0.dist-info/RECORD"]
                found = files_below(tmp_path)
                assert {path: found.get(path) for path in expected} == expected
                folder = os.readlink(f"/proc/self/fd/{dst_dir_fd}")
                renamed.append(os.path.join(folder, destination))
            rename(source, destination, dst_dir_fd=dst_dir_fd, **keywords)

        with (journal := Journal(str(packages))).opened():
            write(Path(journal.folder), STAGED)
            journal.commit(moves(packages))
            monkeypatch.setattr(os, "rename", watched)
            apply(journal)
        assert renamed == [str(packages / "demo-1.0.dist-info")]

    @pytest.mark.parametrize("failing", range(12))
    def test_they_are_finished_from_whatever_point_they_stopped_at(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch, failing: int
    ) -> None:
        write(packages, {"demo/sub/c.py": "c"})
        journal = Journal(str(packages))

        def work() -> None:
            with journal.opened():
                write(Path(journal.folder), STAGED)
                journal.commit(moves(packages))
                stop_at_change(monkeypatch, failing, OSError(errno.EIO, "stopped"))
                apply(journal)

        with suppress(OSError):
            work()
        monkeypatch.undo()
        with journal.opened():
            apply(journal)
        assert files_below(tmp_path) == EXPECTED | {"packages/demo/sub/c.py": "c"}
        assert not Path(journal.folder).exists()

    def test_another_file_system_is_written_to_beside_the_place(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elsewhere = str(tmp_path / "bin")
        write(tmp_path, {"bin/old": "old"})
        rename = os.rename

        def over_a_border(source: str, destination: str, **keywords: Any) -> None:
            if destination.startswith(elsewhere) and not source.startswith(elsewhere):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            rename(source, destination, **keywords)

        with (journal := Journal(str(packages))).opened():
            write(Path(journal.folder), STAGED)
            Path(journal.folder, "0/data/scripts/demo").chmod(0o755)
            write(Path(journal.folder), {"0/data/scripts/sub/x": "x"})
            journal.commit(moves(packages))
            monkeypatch.setattr(os, "rename", over_a_border)
            apply(journal)
        assert files_below(tmp_path) == EXPECTED | {"bin/old": "old", "bin/sub/x": "x"}
        assert (tmp_path / "bin/demo").stat().st_mode & 0o777 == 0o755


class TestRemovals:
    RECORD = "old/a.py,,\nold/shared.py,,\nold-1.0.dist-info/RECORD,,\n../bin/old,,\n"

    @pytest.fixture(autouse=True)
    def _old(self, tmp_path: Path, packages: Path) -> None:
        write(
            tmp_path,
            {
                "bin/old": "script",
                "packages/old/a.py": "a",
                "packages/old/shared.py": "shared",
                "packages/old-1.0.dist-info/RECORD": self.RECORD,
                "packages/other.py": "other",
            },
        )

    def removal(self, tmp_path: Path) -> Removal:
        packages = tmp_path / "packages"
        return Removal(
            str(packages / "old-1.0.dist-info"),
            "aside/0",
            [str(packages), str(tmp_path / "bin"), str(tmp_path)],
            [str(packages / "old/shared.py")],
        )

    def test_files_go_but_those_of_others(self, tmp_path: Path, packages: Path) -> None:
        with (journal := Journal(str(packages))).opened():
            journal.commit([self.removal(tmp_path)])
            apply(journal)
        assert files_below(tmp_path) == {
            "packages/old/shared.py": "shared",
            "packages/other.py": "other",
        }

    @pytest.mark.parametrize("failing", range(14))
    def test_they_are_finished_from_whatever_point_they_stopped_at(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch, failing: int
    ) -> None:
        """The new version has files of the old one's names."""
        new = {"0/tree/old/a.py": "new", "0/tree/old-2.0.dist-info/RECORD": "new"}
        journal = Journal(str(packages))

        def work() -> None:
            with journal.opened():
                write(Path(journal.folder), new)
                journal.commit(
                    [
                        self.removal(tmp_path),
                        Move("0/tree", str(packages), "old-2.0.dist-info"),
                    ]
                )
                stop_at_change(monkeypatch, failing, RuntimeError("stopped"))
                apply(journal)

        try:
            work()
        except RuntimeError:
            monkeypatch.undo()
            with journal.opened():
                apply(journal)
        monkeypatch.undo()
        assert files_below(tmp_path) == {
            "packages/old/a.py": "new",
            "packages/old/shared.py": "shared",
            "packages/old-2.0.dist-info/RECORD": "new",
            "packages/other.py": "other",
        }
        assert not Path(journal.folder).exists()

    def test_what_is_half_removed_reads_as_absent(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unlink = os.unlink

        def watched(path: str, **keywords: Any) -> None:
            assert not (packages / "old-1.0.dist-info").exists()
            unlink(path, **keywords)

        with (journal := Journal(str(packages))).opened():
            journal.commit([self.removal(tmp_path)])
            monkeypatch.setattr(os, "unlink", watched)
            apply(journal)

    def test_nothing_outside_of_the_environment_is_touched(
        self, tmp_path: Path, packages: Path
    ) -> None:
        outside = tmp_path.parent / f"{tmp_path.name}-outside"
        write(outside, {"victim": "victim"})
        record = packages / "old-1.0.dist-info/RECORD"
        record.write_text(f"../../{outside.name}/victim,,\n{outside}/victim,,\nold/a.py,,\n")
        with (journal := Journal(str(packages))).opened():
            journal.commit([self.removal(tmp_path)])
            apply(journal)
        assert files_below(outside) == {"victim": "victim"}
        assert not (packages / "old/a.py").exists()
        shutil.rmtree(outside)

    def test_folders_that_are_shared_or_not_its_own_stay(
        self, tmp_path: Path, packages: Path
    ) -> None:
        with (journal := Journal(str(packages))).opened():
            journal.commit([self.removal(tmp_path)])
            apply(journal)
        assert set(snapshot(tmp_path)) == {
            "bin", "packages", "packages/old", "packages/old/shared.py", "packages/other.py"
        }  # fmt: skip

    @pytest.mark.parametrize("failing", [0, 1])
    def test_the_first_part_is_undone_if_it_fails(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch, failing: int
    ) -> None:
        """Nothing of the files has changed then, so no environment is left half-way."""
        write(tmp_path, {"packages/next-1.0.dist-info/RECORD": "next-1.0.dist-info/RECORD,,\n"})
        second = Removal(str(packages / "next-1.0.dist-info"), "aside/1", [str(packages)], [])
        before = files_below(tmp_path)
        rename = os.rename
        going = [second.dist_info, self.removal(tmp_path).dist_info][: failing + 1]

        def denied(source: str, destination: str, **keywords: Any) -> None:
            if source == os.path.basename(going[-1]) and destination != source:
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), source)
            rename(source, destination, **keywords)

        journal = Journal(str(packages))

        def work() -> None:
            with journal.opened():
                journal.commit([self.removal(tmp_path), second])
                monkeypatch.setattr(os, "rename", denied)
                apply(journal)

        with pytest.raises(PermissionError):
            work()
        assert journal.reached == "nothing"
        assert files_below(tmp_path) == before

    def test_what_an_earlier_run_has_begun_to_remove_is_never_put_back(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Some of its files are gone: a package would say installed and would not be."""
        journal = Journal(str(packages))
        unlink, mkdir = os.unlink, os.mkdir

        def once(path: str, **keywords: Any) -> None:
            unlink(path, **keywords)
            raise RuntimeError("killed")

        def fails(path: str, *arguments: Any, **keywords: Any) -> None:
            if path == "aside":
                raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
            mkdir(path, *arguments, **keywords)

        def run() -> None:
            with journal.opened():
                if not journal.is_committed:
                    journal.commit([self.removal(tmp_path)])
                apply(journal)

        monkeypatch.setattr(os, "unlink", once)
        with pytest.raises(RuntimeError):
            run()
        monkeypatch.setattr(os, "unlink", unlink)
        monkeypatch.setattr(os, "mkdir", fails)
        with pytest.raises(OSError, match="quota"):
            run()
        monkeypatch.undo()
        assert not (packages / "old-1.0.dist-info").exists()
        assert journal.is_committed
        run()
        assert files_below(tmp_path) == {
            "packages/old/shared.py": "shared",
            "packages/other.py": "other",
        }

    def test_a_dist_info_folder_that_cannot_be_renamed_is_copied(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An overlay without ``redirect_dir`` renames no folder of a lower layer."""
        over_a_border(monkeypatch, packages / "old-1.0.dist-info")
        with (journal := Journal(str(packages))).opened():
            journal.commit([self.removal(tmp_path)])
            apply(journal)
        assert files_below(tmp_path) == {
            "packages/old/shared.py": "shared",
            "packages/other.py": "other",
        }

    @pytest.mark.parametrize("failing", range(16))
    def test_a_copy_is_finished_from_whatever_point_it_stopped_at(
        self, tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch, failing: int
    ) -> None:
        write(packages, {"old-1.0.dist-info/METADATA": "", "old-1.0.dist-info/sub/x": ""})
        journal = Journal(str(packages))

        def work() -> None:
            with journal.opened():
                journal.commit([self.removal(tmp_path)])
                stop_at_change(monkeypatch, failing, RuntimeError("stopped"))
                apply(journal)

        over_a_border(monkeypatch, packages / "old-1.0.dist-info")
        with suppress(RuntimeError):
            work()
        monkeypatch.undo()
        over_a_border(monkeypatch, packages / "old-1.0.dist-info")
        with journal.opened():
            apply(journal)
        assert set(files_below(tmp_path)) - {
            f"packages/old-1.0.dist-info/{name}" for name in ("METADATA", "sub/x")
        } == {"packages/old/shared.py", "packages/other.py"}
        assert not (packages / "old-1.0.dist-info").exists()

    @pytest.mark.parametrize("is_linked", [False, True], ids=["the file", "both"])
    def test_a_record_that_is_a_relative_link_lists_the_files(
        self, tmp_path: Path, packages: Path, *, is_linked: bool
    ) -> None:
        """The link leads nowhere from the place in which the folder is set aside."""
        removal = self.removal(tmp_path)
        dist_info = Path(removal.dist_info)
        (dist_info / "RECORD").rename(packages / "records")
        if is_linked:
            dist_info.rename(packages / "real")
            dist_info.symlink_to("real")
        (dist_info / "RECORD").symlink_to("../records")
        with (journal := Journal(str(packages))).opened():
            journal.commit([removal])
            apply(journal)
            assert not journal.is_committed
        assert os.listdir(packages / "old") == ["shared.py"]
        assert not os.path.lexists(dist_info)

    def test_what_another_installer_has_removed_meanwhile_is_no_hindrance(
        self, tmp_path: Path, packages: Path
    ) -> None:
        journal = Journal(str(packages))
        with suppress(RuntimeError), journal.opened():
            journal.commit([self.removal(tmp_path)])
            raise RuntimeError("killed")
        shutil.rmtree(packages / "old-1.0.dist-info")
        with journal.opened():
            apply(journal)
        assert journal.reached == "end" or not journal.is_committed
        assert "packages/other.py" in files_below(tmp_path)


def stop_at_change(monkeypatch: pytest.MonkeyPatch, failing: int, error: Exception) -> None:
    """Let the change of number ``failing``, from 0, raise ``error``."""
    calls = iter(range(1000))

    def stop_at(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            if next(calls) == failing:
                raise error
            return real(*arguments, **keywords)

        return call

    for name in ("rename", "rmdir", "unlink", "mkdir"):
        monkeypatch.setattr(os, name, stop_at(getattr(os, name)))


def over_a_border(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let ``folder`` be of another file system."""
    rename = os.rename

    def refused(source: str, destination: str, **keywords: Any) -> None:
        if source == str(folder):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, destination, **keywords)

    monkeypatch.setattr(os, "rename", refused)


class TestLinks:
    def test_a_folder_goes_through_a_link_that_stays_inside(
        self, tmp_path: Path, packages: Path
    ) -> None:
        write(tmp_path, {"share/man/old": "old"})
        (tmp_path / "man").symlink_to("share/man")
        with (journal := Journal(str(packages))).opened():
            write(Path(journal.folder), {"0/data/data/man/man1/x.1": "x"})
            journal.commit([Move("0/data/data", str(tmp_path))])
            apply(journal, [str(tmp_path)])
        assert (tmp_path / "man").is_symlink()
        assert (tmp_path / "share/man/man1/x.1").read_text() == "x"

    def test_it_does_not_go_through_one_that_leads_outside(
        self, tmp_path: Path, packages: Path
    ) -> None:
        (tmp_path / "outside").mkdir()
        (packages / "demo").symlink_to(tmp_path / "outside")

        def work() -> None:
            with (journal := Journal(str(packages))).opened():
                write(Path(journal.folder), {"0/tree/demo/x": "x"})
                journal.commit([Move("0/tree", str(packages))])
                apply(journal, [str(packages)])

        with pytest.raises(NotADirectoryError):
            work()
        assert os.listdir(tmp_path / "outside") == []
