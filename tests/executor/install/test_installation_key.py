"""The key of what would be installed, and the command that prints it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import lockstream
from helpers.locks import write_lock
from helpers.wheels import build_wheel
from schemas.errors import ExitCode

Key = Callable[..., str]

DEMO = build_wheel("demo", files={"demo.py": "x = 1\n"})


@pytest.fixture(name="lock")
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(write_lock(tmp_path, [DEMO]))


@pytest.fixture(name="key")
def _key(lock: Path, capsys: pytest.CaptureFixture[str]) -> Key:
    def key(*options: str) -> str:
        assert lockstream.main(["key", *options]) == ExitCode.DONE
        printed = capsys.readouterr().out
        assert len(printed) == 65
        return printed

    return key


def test_it_is_the_same_before_and_after_the_execution(key: Key, lock: Path) -> None:
    before = key()
    assert lockstream.main(["execute", "-q"]) == ExitCode.DONE
    assert (lock.parent / ".venv").exists()
    assert key() == before


@pytest.mark.parametrize(
    "options",
    [["--venv", "other"], ["--target", "t"], ["--compile"], ["--on-collision", "last"],
     ["--relocatable"]],
)  # fmt: skip
def test_an_option_that_changes_the_tree_changes_it(key: Key, options: list[str]) -> None:
    assert key(*options) != key()


def test_a_relocatable_one_does_not_depend_on_the_place(key: Key) -> None:
    assert key("--relocatable", "--venv", "a") == key("--relocatable", "--venv", "b")


def test_a_folder_for_another_machine_has_another(key: Key) -> None:
    machine = ["--python-version", "3.12", "--platform", "manylinux_2_28_aarch64"]
    assert key("--target", "t", *machine) != key("--target", "t")


def test_verbose_says_what_it_is_made_of(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["key", "-v"]) == ExitCode.DONE
    shown = capsys.readouterr().err
    assert f"{DEMO.filename} sha256={DEMO.sha256}\n" in shown
    assert "compiled: False\n" in shown


def test_a_folder_has_none(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "app"\n'
        '[packages.directory]\npath = "app"\n'
    )
    assert lockstream.main(["key", "--build"]) == ExitCode.REFUSED
    assert capsys.readouterr().err == (
        "error: app is installed from a folder, and the lock does not record what that holds\n"
        "hint: leave folders out of the cache: install them afterwards, with execute --no-deps\n"
    )
