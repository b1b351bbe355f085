"""Environments that are moved, and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lockstream
from executor.environment.relocatable import is_relocatable
from helpers.locks import write_lock
from helpers.wheels import build_wheel
from schemas.errors import ExitCode

DEMO = build_wheel(
    "demo",
    files={"demo.py": "import sys\ndef main(): print(sys.prefix)\n"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
    data_files={"scripts/shipped": "#!python\nimport sys\nprint(sys.prefix)\n"},
)


@pytest.fixture(name="lock")
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(write_lock(tmp_path, [DEMO]))


@pytest.fixture(name="moved")
def _moved(lock: Path) -> Path:
    assert lockstream.main(["execute", "--relocatable", "--venv", "env"]) == ExitCode.DONE
    place = lock.parent / "another place"
    (lock.parent / "env").rename(place)
    return place


def output(*command: str | Path, **variables: str) -> str:
    run = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )
    assert run.stderr == ""
    return run.stdout.strip()


@pytest.mark.parametrize("command", ["demo", "shipped"])
def test_a_command_runs_after_the_move(moved: Path, command: str) -> None:
    assert output(moved / "bin" / command) == str(moved)


def test_a_command_runs_through_a_link(moved: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(moved / "bin" / "demo")
    assert output(tmp_path / "link") == str(moved)


def test_nothing_in_it_names_the_old_place_but_the_note_of_how_it_was_made(
    moved: Path, lock: Path
) -> None:
    old = os.fsencode(lock.parent / "env")
    naming = [
        path.name
        for path in moved.rglob("*")
        if path.is_file() and old in path.read_bytes() and path.name != "activate"
    ]
    assert set(naming) <= {"pyvenv.cfg"}


SHELLS = [
    pytest.param(
        shell,
        script,
        marks=pytest.mark.skipif(shutil.which(shell) is None, reason=f"there is no {shell} here"),
    )
    for shell, script in (
        ("bash", "activate"),
        ("dash", "activate"),
        ("zsh", "activate"),
        ("fish", "activate.fish"),
    )
]


@pytest.mark.parametrize(("shell", "script"), SHELLS)
def test_it_is_activated_in_its_new_place(
    moved: Path, tmp_path: Path, shell: str, script: str
) -> None:
    source = "." if shell == "dash" else "source"
    code = f"{source} '{moved}/bin/{script}'; echo $VIRTUAL_ENV; demo"
    assert output(shell, "-c", code, HOME=str(tmp_path)).split("\n") == [str(moved)] * 2


needs_dash = pytest.mark.skipif(shutil.which("dash") is None, reason="there is no dash here")


@needs_dash
# What Python 3.12 itself writes reads OSTYPE, set or not.
@pytest.mark.parametrize("before", ["", "OSTYPE=; set -eu; ", "cd bin; "])
def test_a_shell_that_does_not_say_what_it_reads_has_it_open(moved: Path, before: str) -> None:
    code = f"cd '{moved}'; {before}( . '{moved}/bin/activate'; echo $VIRTUAL_ENV; demo )"
    assert output("dash", "-c", code).split("\n") == [str(moved)] * 2


@needs_dash
def test_a_shell_that_shows_nothing_is_an_error_in_another_place(moved: Path) -> None:
    """Without /proc, of which the script is made to know nothing here."""
    script = moved / "bin/activate"
    script.write_text(script.read_text().replace("/proc/self/stat", "/nothing"))
    code = f". '{script}' || echo 'status' $?; echo [${{VIRTUAL_ENV:-}}]"
    run = subprocess.run(["dash", "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "status 1\n[]\n"
    assert run.stderr == (
        "activate: this shell does not say where it is; put the folder bin into PATH instead\n"
    )


def test_the_moved_one_is_verified_and_has_nothing_to_install(
    moved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(["verify", "--venv", str(moved)]) == ExitCode.DONE
    capsys.readouterr()
    assert lockstream.main(["execute", "--venv", str(moved)]) == ExitCode.DONE
    assert "installed 0 packages, 1 unchanged" in capsys.readouterr().out


def test_what_is_installed_later_is_relocatable_too(moved: Path, tmp_path: Path) -> None:
    assert lockstream.main(["execute", "--reinstall", "--venv", str(moved)]) == ExitCode.DONE
    moved.rename(tmp_path / "third")
    assert output(tmp_path / "third" / "bin" / "demo") == str(tmp_path / "third")


def test_an_environment_that_is_not_cannot_become_so(
    lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(["execute", "-q", "--venv", "env"]) == ExitCode.DONE
    assert not is_relocatable("env")
    assert lockstream.main(["execute", "--relocatable", "--venv", "env"]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        f"error: {lock.parent}/env was not made relocatable\n"
        "hint: name another folder with --venv, or remove this one\n"
    )


@pytest.mark.parametrize("where", [["--prefix", "p"], ["--python", sys.executable]])
def test_other_places_are_refused(
    lock: Path, where: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(["execute", "--relocatable", *where]) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        "error: --relocatable is for a virtual environment that is made, or for --target\n"
        "hint: name a folder with --venv or --target\n"
    )


def test_commands_of_a_folder_of_packages_find_python_in_the_path(
    lock: Path, tmp_path: Path
) -> None:
    assert lockstream.main(["execute", "--relocatable", "--target", "t"]) == ExitCode.DONE
    (tmp_path / "t").rename(tmp_path / "u")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    first = (tmp_path / "u" / "bin" / "demo").read_text().partition("\n")[0]
    assert first == f"#!/usr/bin/env {version}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    assert output(tmp_path / "u" / "bin" / "demo", PYTHONPATH=str(tmp_path / "u"), PATH=path)
