"""``lockstream builds`` lists work for people, for programs and for engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tomli_w

import lockstream

LOCK = {
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
    "words", [["--as", "slurm", "--json"], ["--into", "x"], ["--least", "1GiB"]]
)
def test_options_that_contradict_each_other_are_an_error(words: list[str]) -> None:
    assert lockstream.main(["builds", *words]) == 2
