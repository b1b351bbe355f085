"""``lockstream builds`` lists work for people, for programs and for engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w

import lockstream
from helpers.build_records import build_record

LOCK: dict[str, Any] = {
    "lock-version": "1.0",
    "created-by": "lockstream",
    "tool": {"lockstream": {"targets": [{"python": "3.12", "platform": "manylinux_2_28_x86_64"}]}},
    "packages": [
        {
            "name": "demo",
            "version": "1.0",
            "sdist": {
                "url": "https://files.example/demo-1.0.tar.gz",
                "hashes": {"sha256": "b" * 64},
            },
        }
    ],
}


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pylock.toml").write_text(tomli_w.dumps(LOCK))


def test_people_get_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["builds"]) == 0
    header, row = (line.split() for line in capsys.readouterr().out.splitlines())
    assert header == ["build", "request", "limit", "seconds", "target"]
    size = ["512.0", "MiB"]
    assert row == [
        "demo==1.0", *size, "(not", "measured)", *size, "?", "cp312-manylinux_2_28_x86_64",
    ]  # fmt: skip


def test_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["builds", "--json"]) == 0
    (unit,) = json.loads(capsys.readouterr().out)
    assert (unit["package"], unit["version"], unit["request"]) == ("demo", "1.0", 512 << 20)
    assert unit["source"]["sha256"] == "b" * 64


def test_engines_get_their_form(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["builds", "--as", "github-matrix", "--least", "8GiB"]
    assert lockstream.main(words) == 0
    (row,) = json.loads(capsys.readouterr().out)["include"]
    assert (row["memory"], row["runner"]) == ("8192MiB", "large-x86_64")


@pytest.mark.parametrize(
    "words", [["--as", "slurm", "--json"], ["--into", "x"], ["--least", "1GiB"], ["--part", "1/2"]]
)
def test_options_that_contradict_each_other_are_an_error(words: list[str]) -> None:
    assert lockstream.main(["builds", *words]) == 2


def test_engines_get_no_build_that_only_another_system_could_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["builds", "--platform", "windows", "--platform", "linux", "--python-version", "3.12"]
    assert lockstream.main([*words, "--as", "github-matrix"]) == 0
    captured = capsys.readouterr()
    assert [row["machine"] for row in json.loads(captured.out)["include"]] == ["x86_64"]
    assert "left out demo==1.0 for cp312-win_amd64: lockstream builds on Linux" in captured.err


def test_engines_without_work_are_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["builds", "--as", "github-matrix", "--part", "2/2"]) == 0
    captured = capsys.readouterr()
    assert captured.out == '{"include": []}\n'
    assert "nothing has to be built" in captured.err


def test_settings_for_fromager_are_those_of_all_measured_builds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = build_record(demand={1: 1 << 30})
    wheel = {"url": f"https://files.example/{record.wheel}", "hashes": {"sha256": "c" * 64}}
    (package,) = LOCK["packages"]
    tool = {"lockstream": {"build": {record.wheel: record.to_table()}}}
    built = {**package, "wheels": [wheel], "tool": tool}
    Path("pylock.toml").write_text(tomli_w.dumps({**LOCK, "packages": [built]}))
    assert lockstream.main(["builds", "--as", "fromager"]) == 0
    assert "memory_per_job_gb: 1.081" in capsys.readouterr().out
