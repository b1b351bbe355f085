"""The command ``verify``: differences on stdout, and an exit code that answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lockstream
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode

DEMO = build_wheel("demo", files={"demo.py": "x = 1\n"})


@pytest.fixture(name="installed")
def _installed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    (tmp_path / "wheels").mkdir()
    DEMO.write(tmp_path / "wheels")
    lock = tmp_path / "pylock.toml"
    lock.write_text(lock_of([DEMO], folder="wheels/"))
    words = [str(lock), "--target", str(tmp_path / "t")]
    assert lockstream.main(["execute", *words, "--progress", "none"]) == ExitCode.DONE
    capsys.readouterr()
    return words


def test_an_untouched_environment_is_verified(
    installed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(["verify", *installed]) == ExitCode.DONE
    assert capsys.readouterr() == ("1 package verified, 0 differences\n", "")


def test_a_changed_file_is_named(
    installed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t/demo.py").write_text("x = 2\n")
    assert lockstream.main(["verify", *installed, "--json"]) == ExitCode.REFUSED
    (drift,) = json.loads(capsys.readouterr().out)
    assert (drift["kind"], drift["package"], drift["path"]) == (
        "changed", "demo", str(tmp_path / "t/demo.py"),
    )  # fmt: skip


@pytest.mark.parametrize("option", ["--venv", "--target"])
def test_an_environment_that_is_not_there_is_said(
    installed: list[str], option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["verify", installed[0], option, f"{tmp_path}/slip"]
    assert lockstream.main(words) == ExitCode.REFUSED
    told = capsys.readouterr()
    assert told.out.startswith("missing: demo: 1.0 is not installed\n1 package verified, ")
    assert told.err == f"warning: there is no environment at {tmp_path}/slip\n"


def test_a_lock_that_is_missing_is_an_invalid_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["verify", str(tmp_path / "none.toml"), "--target", str(tmp_path)]
    assert lockstream.main(words) == ExitCode.INVALID_INPUT
    assert "none.toml: cannot be read" in capsys.readouterr().err
