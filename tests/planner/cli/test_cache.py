"""The command ``cache`` shows, shrinks and clears what plans have stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lockstream
from planner.index.cache import Cache


@pytest.fixture
def folder(tmp_path: Path) -> str:
    cache = Cache(str(tmp_path / "cache"))
    for number in range(10):
        cache.write("pages", str(number), b"x" * 10_000)
    return cache.folder


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert lockstream.main(["cache", *words]) == 0
    return capsys.readouterr().out


def test_the_folder_and_its_kinds_are_shown(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = run(capsys, "info", "--cache-dir", folder).splitlines()
    assert lines[0] == folder
    assert any(line.startswith("  pages: 10 entries, ") for line in lines)
    found = json.loads(run(capsys, "info", "--cache-dir", folder, "--json"))
    assert found["folder"] == folder
    assert found["pages"]["entries"] == 10


def test_pruning_leaves_what_may_remain(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "prune", "--cache-dir", folder) == "freed 0.0 MiB\n"
    run(capsys, "prune", "--cache-dir", folder, "--max-size", "0")
    assert not [path for path in Path(folder).rglob("*") if path.is_file() and path.stat().st_size]


def test_clearing_leaves_nothing(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "clear", "--cache-dir", folder).startswith("freed ")
    assert Cache(folder).read("pages", "1") is None


def test_a_size_that_is_none_is_wrong_usage(folder: str) -> None:
    assert lockstream.main(["cache", "prune", "--cache-dir", folder, "--max-size", "much"]) == 2


@pytest.mark.parametrize("command", ["info", "prune", "clear"])
def test_a_cache_that_is_a_file_is_wrong_usage(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert lockstream.main(["cache", command, "--cache-dir", str(tmp_path / "file")]) == 2
    assert "file is not a folder" in capsys.readouterr().err
