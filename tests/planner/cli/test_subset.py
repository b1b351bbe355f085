"""The command ``subset``, as it is typed."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX, foreign_lock, plan_into, write_lock
from helpers.projects import named, project
from helpers.trees import differences, snapshot
from helpers.wheels import build_wheel


@pytest.fixture(name="lock")
def _lock(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("heavy", requires=["base"], files={"heavy.bin": bytes(1 << 20)}))
    index.add(build_wheel("light", requires=["base"]))
    index.add(build_wheel("base"))
    return plan_into(index, Path(), ["heavy", "light"])


def run(*words: str) -> int:
    return lockstream.main(["subset", *words])


@pytest.mark.usefixtures("lock")
def test_it_writes_a_lock_and_says_what_stayed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--package", "heavy", "-o", "pylock.heavy.toml") == 0
    assert capsys.readouterr() == ("", "pylock.heavy.toml: 2 of 3 packages\n")
    before = os.stat("pylock.heavy.toml")
    assert run("--package", "heavy", "-o", "pylock.heavy.toml") == 0
    assert capsys.readouterr().err == "pylock.heavy.toml: 2 of 3 packages, as before\n"
    assert os.stat("pylock.heavy.toml").st_ino == before.st_ino
    assert lockstream.main(["check", "pylock.heavy.toml"]) == 0
    assert capsys.readouterr().out == "pylock.heavy.toml is current: packages 2, targets 1\n"


@pytest.mark.usefixtures("lock")
def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--package", "heavy", "-o", "pylock.heavy.toml", "--json"]
    for is_changed in (True, False):
        assert run(*words) == 0
        shown = capsys.readouterr()
        assert shown.err == ""
        assert json.loads(shown.out) == {
            "lock": "pylock.heavy.toml", "of": "pylock.toml", "changed": is_changed,
            "packages": 2, "left-out": 1,
        }  # fmt: skip
    assert run("-o", "-", "--json") == 2
    assert capsys.readouterr().err == (
        "error: both the lock and --json would go to standard output\n"
        "hint: name a file with -o, or leave --json out\n"
    )


@pytest.mark.usefixtures("lock")
def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-q", "--without", "heavy", "-o", "-") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert [one["name"] for one in tomllib.loads(shown.out)["packages"]] == ["light"]
    assert sorted(os.listdir()) == ["pylock.toml", "requirements.in"]


def test_a_variable_stands_for_each_option(
    lock: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCKSTREAM_SUBSET_PACKAGE", "light heavy")
    monkeypatch.setenv("LOCKSTREAM_WITHOUT", "base")
    assert run(str(lock), "-q", "-o", "-") == 0
    packages = tomllib.loads(capsys.readouterr().out)["packages"]
    assert [one["name"] for one in packages] == ["heavy", "light"]


@pytest.mark.usefixtures("lock")
@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "--output is missing"),
        (("-o", "part.toml"), "a lock cannot be called 'part.toml'"),
        (("-o", "pylock.toml"), "this file is read, and would be replaced"),
        (("-o", "./pylock.link.toml"), "this file is read, and would be replaced"),
        (("-o", "nowhere/pylock.toml"), "cannot be written"),
        (("-o", "pylock.other.toml"), "is a lock that is no subset, and would be replaced"),
        (("pylock.gone.toml", "-o", "pylock.x.toml"), "pylock.gone.toml"),
    ],
)
def test_what_would_be_lost_is_refused(
    words: tuple[str, ...], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.symlink("pylock.toml", "pylock.link.toml")
    foreign_lock(Path("pylock.other.toml"), [{"name": "a"}])
    before = {name: Path(name).read_bytes() for name in os.listdir()}
    assert run(*words) in {2, 3}
    shown = capsys.readouterr().err
    assert problem in shown
    assert "\nhint: " in shown
    assert {name: Path(name).read_bytes() for name in os.listdir()} == before


def test_a_damaged_subset_is_made_again(lock: Path) -> None:
    Path("pylock.part.toml").write_text("<<<<<<< HEAD\n")
    assert run("-q", str(lock), "-o", "pylock.part.toml") == 0
    assert lockstream.main(["check", "-q", "pylock.part.toml"]) == 0


@pytest.mark.usefixtures("lock")
@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("plan", "-o", "pylock.part.toml"),
         "then make the subset again: lockstream subset pylock.toml --package light -o"),
        (("plan", "--upgrade", "-o", "pylock.part.toml"), "lockstream subset pylock.toml"),
        (("plan", "-r", "requirements.in", "-o", "pylock.part.toml"), "plan pylock.toml, then"),
        (("outdated", "pylock.part.toml"), "run lockstream outdated"),
        (("tree", "pylock.part.toml"), "name pylock.toml instead"),
        (("why", "base", "pylock.part.toml"), "name pylock.toml instead"),
    ],
)  # fmt: skip
def test_what_needs_the_requirements_leads_to_the_lock(
    words: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("-q", "--package", "light", "-o", "pylock.part.toml") == 0
    before = Path("pylock.part.toml").read_bytes()
    assert lockstream.main(list(words)) == 2
    shown = capsys.readouterr().err
    assert "pylock.part.toml is a subset of pylock.toml" in shown
    assert hint in shown
    assert Path("pylock.part.toml").read_bytes() == before


@pytest.mark.usefixtures("lock")
def test_the_command_of_a_hint_mends_what_a_check_found(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("-q", "--package", "light", "-o", "pylock.part.toml") == 0
    index.add(build_wheel("base", "2.0"))
    assert lockstream.main(["plan", "-q", "-U"]) == 0
    assert lockstream.main(["check", "pylock.part.toml"]) == 1
    command = capsys.readouterr().err.rpartition("make it again: ")[2].strip()
    assert command == "lockstream subset pylock.toml --package light -o pylock.part.toml"
    assert lockstream.main(command.split()[1:]) == 0
    assert lockstream.main(["check", "-q", "pylock.part.toml"]) == 0


def test_a_second_layer_leaves_the_files_of_the_first_as_they_are(
    index: Index, lock: Path, tmp_path: Path
) -> None:
    assert run("-q", "--package", "heavy", "-o", "pylock.heavy.toml") == 0
    assert run("-q", "-o", "pylock.app.toml") == 0
    into = ["-q", "--target", str(tmp_path / "layers"), *LINUX]
    assert lockstream.main(["execute", "pylock.heavy.toml", *into]) == 0
    first = states(tmp_path / "layers")
    index.asked.clear()
    assert lockstream.main(["execute", "pylock.app.toml", *into]) == 0
    second = states(tmp_path / "layers")
    assert {path: second.get(path) for path in first} == first
    assert any("light" in path for path in second)
    fetched = [path for path in index.paths("GET") if "heavy-1.0" in path]
    assert fetched == [], "it was fetched for the first layer alone"
    whole = ["-q", "--target", str(tmp_path / "whole"), *LINUX]
    assert lockstream.main(["execute", str(lock), *whole]) == 0
    assert differences(snapshot(tmp_path / "layers"), snapshot(tmp_path / "whole")) == []


def states(root: Path) -> dict[str, tuple[int, int, int]]:
    """Return inode, time of the content and time of the state of each file."""
    found = {}
    for path in root.rglob("*"):
        state = path.stat()
        if path.is_file():
            found[str(path)] = state.st_ino, state.st_mtime_ns, state.st_ctime_ns
    return found


def test_a_subset_in_another_folder_finds_the_wheels_beside_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = [build_wheel("a"), build_wheel("b")]
    lock = write_lock(tmp_path / "deep" / "er", wheels)
    (tmp_path / "images").mkdir()
    monkeypatch.chdir(tmp_path / "images")
    assert run("-q", os.path.relpath(lock), "-o", "pylock.toml") == 0
    assert lockstream.main(["check", "-q", str(tmp_path / "images" / "pylock.toml")]) == 0
    monkeypatch.chdir("/")
    assert lockstream.main(["check", "-q", str(tmp_path / "images" / "pylock.toml")]) == 0
    words = ["execute", "-q", str(tmp_path / "images" / "pylock.toml")]
    assert lockstream.main([*words, "--target", str(tmp_path / "there")]) == 0
    assert (tmp_path / "there" / "a" / "__init__.py").exists()


def test_its_key_is_that_of_its_lock_with_the_same_selection(
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("a"), build_wheel("b"))
    project(tmp_path, named("app", "a", more='[dependency-groups]\ntest = ["b"]'))
    assert lockstream.main(["plan", "-q", "-i", index.url, *LINUX]) == 0
    assert run("-q", "--group", "test", "-o", "pylock.test.toml") == 0
    into = ("--target", "t", *LINUX)
    keys = []
    for words in (("pylock.test.toml",), ("--group", "test"), ()):
        assert lockstream.main(["key", *words, *into]) == 0
        keys.append(capsys.readouterr().out)
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.usefixtures("lock")
def test_a_job_for_a_subset_checks_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-q", "-o", "pylock.app.toml") == 0
    words = ["init", "ci", "gitlab", "--print", "--lock", "pylock.app.toml"]
    assert lockstream.main(words) == 0
    assert "lockstream check pylock.app.toml" in capsys.readouterr().out
