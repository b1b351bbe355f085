"""The command ``merge`` as git runs it, and what ``init git`` tells git."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import plan_into, write_lock
from helpers.repositories import own_git
from helpers.wheels import build_wheel
from planner.cli import merge as command

pytestmark = pytest.mark.usefixtures("cache_folder")


def git(*words: str, status: int = 0) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(name="repository")
def _repository(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose lock has packages that are neighbours, and a driver."""
    own_git(monkeypatch)
    monkeypatch.chdir(tmp_path)
    # git runs the driver in a shell, which finds the lockstream of this Python.
    program = f"{sys.executable} -m lockstream"
    monkeypatch.setattr(command, "_program", lambda: program)
    for name in "abcd":
        index.add(build_wheel(name), build_wheel(name, "2.0"), build_wheel(name, "3.0"))
    git("init", "-q", "-b", "main")
    assert lockstream.main(["init", "git"]) == 0
    commit(index, "a<2", "d<2")
    return tmp_path


def commit(index: Index, *lines: str) -> None:
    plan_into(index, Path(), list(lines))
    git("add", "-A")
    git("commit", "-q", "-m", "Plan")


def branches(index: Index, one: tuple[str, ...], two: tuple[str, ...]) -> None:
    """Make two branches of the lines, and check the second one out."""
    git("checkout", "-q", "-b", "one")
    commit(index, *one)
    git("checkout", "-q", "-b", "two", "main")
    commit(index, *two)


@pytest.mark.usefixtures("repository")
def test_packages_between_the_same_two_merge_and_the_lock_is_that_of_a_plan(index: Index) -> None:
    branches(index, ("a<2", "b<2", "d<2"), ("a<2", "c<2", "d<2"))
    # The requirements are neighbours, too, and git merges them by lines.
    assert "requirements.in" in git("merge", "one", status=1)
    assert git("diff", "--name-only", "--diff-filter=U") == "requirements.in\n"
    merged = Path("pylock.toml").read_text()
    plan_into(index, Path(), ["a<2", "b<2", "c<2", "d<2"])
    assert Path("pylock.toml").read_text() == merged
    plan_into(index, Path(), ["a<2", "b<2", "c<2", "d<2"], "--refresh")
    assert Path("pylock.toml").read_text() == merged


@pytest.mark.usefixtures("repository")
def test_without_a_driver_they_are_a_conflict(index: Index) -> None:
    git("config", "--remove-section", "merge.lockstream")
    branches(index, ("a<2", "b<2", "d<2"), ("a<2", "c<2", "d<2"))
    git("merge", "one", status=1)
    assert "pylock.toml" in git("diff", "--name-only", "--diff-filter=U")


@pytest.mark.usefixtures("repository")
def test_what_both_upgrade_is_a_conflict_without_marks_and_the_hint_ends_it(index: Index) -> None:
    branches(index, ("a==2.0", "d<2"), ("a==3.0", "d<2"))
    said = git("merge", "one", status=1)
    assert "pylock.toml: a: ours has 3.0, theirs has 2.0; 3.0 is kept\n" in said
    assert "next: lockstream plan; then git add pylock.toml\n" in said
    assert "pylock.toml" in git("diff", "--name-only", "--diff-filter=U")
    Path("requirements.in").write_text("a<3\nd<2\n")
    assert lockstream.main(["plan", "-q"]) == 0
    git("add", "requirements.in", "pylock.toml")
    git("commit", "-q", "-m", "Merge")
    assert lockstream.main(["check", "-q"]) == 0
    assert 'version = "2.0"' in Path("pylock.toml").read_text()


@pytest.mark.usefixtures("repository")
def test_a_lock_of_another_name_in_a_folder_is_merged_and_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sides = []
    for side, version in (("base", "1.0"), ("ours", "2.0"), ("theirs", "3.0")):
        write_lock(Path(side), [build_wheel("a", version)])
        sides.append(f"{side}/pylock.toml")
    assert lockstream.main(["merge", *sides, "my app/pylock.dev.toml"]) == 1
    assert capsys.readouterr().err == (
        "my app/pylock.dev.toml: a: ours has 2.0, theirs has 3.0; 3.0 is kept\n"
        "next: lock it again with the tool that wrote it; then git add 'my app/pylock.dev.toml'\n"
    )


def test_what_is_no_lock_is_merged_by_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("base", "1\n2\n3\n"), ("ours", "0\n2\n3\n"), ("theirs", "1\n2\n4\n")):
        Path(name).write_text(text)
    assert lockstream.main(["merge", "base", "ours", "theirs"]) == 0
    assert Path("ours").read_text() == "0\n2\n4\n"
    Path("theirs").write_text("5\n2\n3\n")
    assert lockstream.main(["merge", "base", "ours", "theirs"]) == 1
    assert Path("ours").read_text().startswith("<<<<<<< ours\n0\n=======\n5\n>>>>>>> theirs\n")


def test_files_that_cannot_be_read_are_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lockstream.main(["merge", "base", "ours", "theirs"]) == 3
    assert "error: base: No such file or directory\n" in capsys.readouterr().err
    Path("base").write_bytes(b"\xff")
    assert lockstream.main(["merge", "base", "base", "base", "pylock.a.toml"]) == 3
    assert "error: pylock.a.toml: " in capsys.readouterr().err


class TestInit:
    def test_it_adds_to_what_is_there_once(
        self, repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        attributes = repository / ".gitattributes"
        attributes.write_text("*.bin binary\npylock.toml  merge=lockstream")
        (repository / "below").mkdir()
        monkeypatch.chdir(repository / "below")
        for _ in range(2):
            assert lockstream.main(["init", "git"]) == 0
        assert attributes.read_text() == (
            "*.bin binary\npylock.toml  merge=lockstream\npylock.*.toml merge=lockstream\n"
        )
        told = capsys.readouterr()
        assert told.out.endswith(
            "wrote ../.gitattributes\n../.gitattributes is as it would be written\n"
        )
        assert (
            "next: git add ../.gitattributes; each clone runs lockstream init git once" in told.err
        )
        driver = f"{sys.executable} -m lockstream merge %O %A %B %P"
        assert git("config", "merge.lockstream.driver") == f"{driver}\n"

    def test_it_prints_and_changes_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert lockstream.main(["init", "git", "--print"]) == 0
        assert capsys.readouterr().out.splitlines()[:2] == [
            "pylock.toml merge=lockstream",
            "pylock.*.toml merge=lockstream",
        ]
        assert list(tmp_path.iterdir()) == []

    def test_outside_of_a_repository_it_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert lockstream.main(["init", "git"]) == 2
        assert capsys.readouterr().err == (
            "error: there is no repository of git here\n"
            "hint: change into one, or make one: git init\n"
        )

    def test_a_program_that_the_shell_does_not_find_is_named_by_its_python(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shutil, "which", lambda _: None)
        monkeypatch.setattr(sys, "executable", "/my env/python")
        assert command._program() == "'/my env/python' -m lockstream"
        monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/lockstream")
        assert command._program() == "lockstream"
