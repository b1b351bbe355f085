"""Locks of git revisions are read as they were."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from helpers.wheels import build_wheel, lock_of
from lockstream import main
from planner.review.at_revision import read_lock_at
from schemas.errors import ExitCode, InvalidInput, UsageError


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(name="work", autouse=True)
def _work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    git(tmp_path, "init", "-q")
    folder = tmp_path / "service"
    folder.mkdir()
    lock = folder / "pylock.toml"
    lock.write_text(lock_of([build_wheel("one", "1.0")]))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    lock.write_text(lock_of([build_wheel("one", "2.0"), build_wheel("two")]))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("place", ["HEAD", "HEAD:pylock.toml", "@:pylock.toml"])
def test_a_revision_begins_at_the_working_directory(place: str) -> None:
    assert [str(one.version) for one in read_lock_at(place).packages] == ["1.0"]
    assert len(read_lock_at("pylock.toml").packages) == 2


def test_a_file_comes_before_a_revision(work: Path) -> None:
    (work / "HEAD").write_text(lock_of([build_wheel("file")]))
    assert [one.name for one in read_lock_at("HEAD").packages] == ["file"]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("absent", "absent: it is no file, and git finds no such revision or file (fatal: "),
        ("HEAD:absent", "HEAD:absent: it is no file, and git finds no such revision or file"),
        ("-x:y", "-x:y: it is no file, and no revision begins with -"),
        ("https://example.com/pylock.toml", "https://example.com/pylock.toml is an address"),
    ],
)
def test_what_is_neither_is_named(place: str, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_lock_at(place)
    assert str(caught.value).startswith(text)


def test_a_repository_of_another_user_is_read_once_it_is_trusted(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container whose user does not own the checkout."""
    settings = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    # As git's own tests do (t/t0033-safe-directory.sh).
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(UsageError, match="git reads no repository of another user") as caught:
        read_lock_at("HEAD")
    command = caught.value.hint.removeprefix("if you trust it: ")
    subprocess.run(shlex.split(command), check=True)
    assert read_lock_at("HEAD").packages


def test_git_that_cannot_be_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text("")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="git cannot be run: Exec format error"):
        read_lock_at("HEAD")


def test_a_lock_that_is_invalid_there_is_named(work: Path) -> None:
    (work / "bad").write_text("no lock")
    git(work, "add", ".")
    git(work, "commit", "-qm", "x")
    (work / "bad").unlink()
    with pytest.raises(InvalidInput) as caught:
        read_lock_at("HEAD:bad")
    assert "HEAD:bad" in str(caught.value)


def test_one_that_is_invalid_in_a_revision_leads_to_another_revision(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = work / "pylock.toml"
    whole = lock.read_text()
    lock.write_text(f"<<<<<<< ours\n{whole}=======\n{whole}>>>>>>> theirs\n")
    git(work, "commit", "-qam", "both sides")
    lock.write_text(whole)
    assert main(["diff", "HEAD"]) == ExitCode.INVALID_INPUT
    assert capsys.readouterr().err == (
        "error: HEAD: line 1: it has the marks of a merge conflict\n"
        "hint: what is committed stays so: name a revision before it or after it\n"
    )
    assert main(["diff", "HEAD~1"]) == ExitCode.DONE


def test_diff_takes_a_revision(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "HEAD"]) == 0
    assert capsys.readouterr().out.startswith("~ one 1.0 -> 2.0\n+ two 1.0\n")


@pytest.mark.parametrize("pair", [("HEAD", "service/pylock.toml"), ("service/pylock.toml", "HEAD")])
def test_a_revision_alone_means_the_lock_that_it_is_compared_with(
    pair: tuple[str, str],
    work: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(work.parent)
    Path("pylock.toml").write_text(lock_of([build_wheel("of-the-root")]))
    git(work.parent, "add", "pylock.toml")
    git(work.parent, "commit", "-qm", "x")
    assert main(["diff", *pair]) == 0
    shown = capsys.readouterr().out
    assert "~ one " in shown
    assert "of-the-root" not in shown
    assert main(["diff", "HEAD", "HEAD:service/pylock.toml"]) == 0
    assert capsys.readouterr().out.startswith("CPython ")
