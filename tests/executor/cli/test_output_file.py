"""No command replaces a file that it reads by what it writes beside its results."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import lockstream
from executor.cli.output_file import check_output_file
from helpers.locks import write_lock
from helpers.run_logs import whole_log, write_log
from helpers.wheels import build_wheel, lock_of
from schemas.errors import NotWritten, UsageError


def test_one_file_under_two_names_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("x")
    (tmp_path / "link").symlink_to("lock")
    (tmp_path / "hard").hardlink_to(tmp_path / "lock")
    for name in ("lock", "link", "hard", "./lock"):
        with pytest.raises(UsageError, match="this file is read, and would be replaced"):
            check_output_file("--html", f"{tmp_path}/{name}", ["HEAD", f"{tmp_path}/lock"])


def test_a_dash_makes_no_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pylock.toml").write_text(lock_of([build_wheel("demo")]))
    monkeypatch.chdir(tmp_path)
    for command in (
        ["execute", "--venv", "v", "--report", "-"],
        ["diff", "pylock.toml", "--html", "-"],
    ):
        assert lockstream.main(command) == 2
        assert "names no file, and writes nothing to standard output" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["pylock.toml"]


@pytest.mark.parametrize("inputs", [["other"], ["HEAD"], ["-"], ["a\0b"], []])
def test_another_file_may_be_written(inputs: list[str], tmp_path: Path) -> None:
    (tmp_path / "page").write_text("x")
    check_output_file("--html", str(tmp_path / "page"), inputs)
    check_output_file("--html", str(tmp_path / "new"), inputs)


@pytest.mark.parametrize(
    ("path", "reason", "code"),
    [
        (".", "Is a directory", 2),
        ("file/report.json", "Not a directory", 2),
        ("absent/report.json", "No such file or directory", 2),
        ("locked/report.json", "Permission denied", 9),
    ],
)
def test_what_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, reason: str, code: int
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "locked").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may do everything
    with pytest.raises(NotWritten, match=f"cannot be written: {reason}") as caught:
        check_output_file("--report", f"{tmp_path}/{path}", [])
    assert (caught.value.exit_code, caught.value.hint) == (
        code,
        "name a file in a folder that exists and may be written to",
    )


def test_a_folder_may_be_made_by_the_command(tmp_path: Path) -> None:
    check_output_file("--report", f"{tmp_path}/absent/report.json", [], makes_folders=True)


def test_an_execution_does_not_begin_if_its_report_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").write_text(lock_of([build_wheel("demo")]))
    words = ["execute", f"{tmp_path}/pylock.toml", "--target", f"{tmp_path}/t", "--report"]
    assert lockstream.main([*words, str(tmp_path)]) == 2
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["execute", "pylock.toml", "--target", "t", "--report", "pylock.toml"],
        ["diff", "pylock.toml", "pylock.toml", "--html", "./pylock.toml"],
        ["report", "run.ndjson", "--html", "run.ndjson"],
        ["report", "run.ndjson", "--trace", "run.ndjson"],
        ["report", "run.ndjson", "--lock", "pylock.toml", "--html", "pylock.toml"],
        ["report", "run.ndjson", "--html", "page", "--trace", "./page"],
    ],
    ids=" ".join,
)
def test_what_is_read_stays(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    wheel = build_wheel("demo")
    write_lock(tmp_path, [wheel])
    write_log(tmp_path / "run.ndjson", whole_log())
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert lockstream.main(words) == 2
    assert "hint: name " in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["bundle", "-o"], "--output"),
        (["fetch", "--into"], "--into"),
        (["export", "-o"], "-o"),
        (["diff", "pylock.toml", "--html"], "--html"),
        (["execute", "--venv", "v", "--report"], "--report"),
        (["enrich", "-o"], "--output"),
    ],
)
def test_an_address_makes_no_folder_of_that_name(
    command: list[str],
    option: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``build --into`` takes one, and LOCKSTREAM_INTO is for both."""
    monkeypatch.chdir(tmp_path)
    write_lock(tmp_path, [build_wheel("demo")])
    before = sorted(os.listdir())
    address = "https://user:secret@host.example/files/pylock.toml"
    assert lockstream.main([*command, address]) == 2
    assert capsys.readouterr().err.startswith(
        f"error: {option} https://host.example/files/pylock.toml: this is an address, and not a "
        "path of this machine\nhint: "
    )
    assert sorted(os.listdir()) == before
