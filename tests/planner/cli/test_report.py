"""The command report."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from helpers.run_logs import beginning, whole_log, write_log
from lockstream import main
from planner.runs.markdown import to_markdown
from planner.runs.reading import read_run


@pytest.fixture(name="log")
def log_of_three_packages(tmp_path: Path) -> Path:
    return write_log(tmp_path / "run.ndjson", whole_log(3))


def test_without_an_option_it_prints_sentences(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(log)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Installed 3 packages in ")
    assert "At most 60.0 MiB of 64.0 MiB were charged." in out


def test_all_forms_are_written(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, trace = log.parent / "page.html", log.parent / "trace.json"
    words = ["report", str(log), "--html", str(page), "--trace", str(trace), "--markdown"]
    assert main(words) == 0
    assert page.read_text().startswith("<!doctype html>")
    assert json.loads(trace.read_text())["traceEvents"]
    shown = capsys.readouterr().out
    assert shown == to_markdown([read_run(str(log))]), "no line is indented"


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (["{0}", "{0}", "--trace", "x"], 2, "--trace shows one log"),
        (["{0}", "--html", "{0}/x"], 2, "cannot be written: Not a directory"),
        (["{0}.absent"], 3, "No such file or directory"),
        (["{0}", "--html", "{0}.html", "--lock", "{0}.absent"], 3, "No such file or directory"),
    ],
)
def test_bad_words_are_named(
    log: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, text: str
) -> None:
    assert main(["report", *(word.format(log) for word in words)]) == status
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert text in error


def test_a_killed_run_is_no_error(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", beginning(), torn="{")
    assert main(["report", str(log), "--html", str(tmp_path / "page.html")]) == 0


def test_a_page_does_not_take_the_place_of_the_lock_of_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text("a lock")
    log = write_log(tmp_path / "log", beginning(lock=str(lock)))
    assert main(["report", str(log), "--trace", str(lock)]) == 2
    assert "this file is read, and would be replaced" in capsys.readouterr().err
    assert lock.read_text() == "a lock"


@pytest.mark.parametrize("option", ["--html", "--trace"])
def test_the_exit_code_is_that_of_what_keeps_a_page_from_being_written(
    log: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    def refuse(path: str, _text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr("planner.cli.page_file.write_atomically", refuse)
    assert main(["report", str(log), option, str(log.parent / "page")]) == 7
