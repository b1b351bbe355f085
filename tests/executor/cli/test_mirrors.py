"""Mirrors come from the command line, the environment and the project, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.cli.mirrors import MIRROR_VARIABLE, read_mirrors
from schemas.errors import InvalidInput, UsageError

A, B, C = "https://a.example/", "https://b.example/", "https://c.example/"


@pytest.fixture(name="lock")
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv(MIRROR_VARIABLE, raising=False)
    return str(tmp_path / "pylock.toml")


def project(lock: str, text: str) -> None:
    Path(lock).with_name("pyproject.toml").write_text(text)


def test_there_are_none_by_default(lock: str) -> None:
    assert read_mirrors((), lock) == ()
    project(lock, "[project]\n")
    assert read_mirrors((), lock) == ()


def test_the_command_line_comes_first_and_the_project_last(
    lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, f"{A}={B} {A}={C}")
    project(lock, f'[tool.lockstream.mirrors]\n"{B}" = "{C}"\n"{C}" = ["{A}", "{B}"]\n')
    assert read_mirrors((f"{C}={A}",), lock) == ((C, A), (A, B), (A, C), (B, C), (C, A), (C, B))


@pytest.mark.parametrize("option", ["a", "=", f"{A}=", f"={A}", f"{A}={B.removeprefix('https:')}"])
def test_what_is_not_a_pair_of_urls_is_refused(lock: str, option: str) -> None:
    with pytest.raises(UsageError, match="is not a mirror") as caught:
        read_mirrors((option,), lock)
    assert "--mirror" in caught.value.hint


def test_a_password_is_not_shown(lock: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_mirrors(("https://ann:secret@a.example/=b",), lock)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[tool.lockstream]\nmirrors = 1\n", r"mirrors is not a table"),
        ("tool = 1\n", r"mirrors is not a table"),
        ("[tool", r"pyproject\.toml: "),
        (
            "[tool]\n<<<<<<< HEAD\n",
            r"pyproject\.toml: line 2: it has the marks of a merge conflict",
        ),
    ],
)
def test_a_project_file_that_is_wrong_is_named(lock: str, text: str, problem: str) -> None:
    project(lock, text)
    with pytest.raises(InvalidInput, match=problem) as caught:
        read_mirrors((), lock)
    assert caught.value.hint
