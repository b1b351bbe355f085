"""A folder gets all files of a lock, and an execution without a network finds them there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import lockstream
from helpers.servers import Server, file
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode

WHEELS = [build_wheel(name, "1.0") for name in ("base", "app")]


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.chdir(tmp_path)
    for wheel in WHEELS:
        server.script(f"/{wheel.filename}", file(wheel.content))
    Path("pylock.toml").write_text(lock_of(WHEELS, base_url=server.origin))


def fetch(*words: str, status: int = ExitCode.DONE) -> None:
    assert lockstream.main(["fetch", "--into", "wheels", *words]) == status


def test_what_was_fetched_is_installed_without_a_network(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch()
    captured = capsys.readouterr()
    assert captured.out == "wheels: 2 files for 1 target, 2 fetched (0.0 MiB)\n"
    assert captured.err.splitlines() == [
        f"[{number}/2] {wheel.filename}" for number, wheel in enumerate(WHEELS, 1)
    ]
    asked = len(server.requests)
    words = ["execute", "-q", "--target", "t", "--offline", "--find-links", "wheels"]
    assert lockstream.main(words) == ExitCode.DONE
    assert sorted(os.listdir("t")) == ["app", "app-1.0.dist-info", "base", "base-1.0.dist-info"]
    assert len(server.requests) == asked


def test_what_is_there_is_not_fetched_again(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch("-q")
    asked = len(server.requests)
    Path("wheels/old-1.0-py3-none-any.whl").write_bytes(b"")
    fetch("--prune", "--json")
    assert len(server.requests) == asked
    told = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert [(one["name"], one["fetched"]) for one in told["files"]] == [
        (wheel.filename, False) for wheel in WHEELS
    ]
    assert told["removed"] == ["old-1.0-py3-none-any.whl"]


def test_a_damaged_file_is_refused_and_not_kept(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = WHEELS[1].content[:-1] + b"x"
    server.script(f"/{WHEELS[1].filename}", file(damaged))
    fetch(status=ExitCode.ARTIFACT_REFUSED)
    assert f"{WHEELS[1].filename} from {server.origin}" in capsys.readouterr().err
    assert os.listdir("wheels") == [WHEELS[0].filename]
    server.script(f"/{WHEELS[1].filename}", file(WHEELS[1].content))
    fetch()
    assert len(os.listdir("wheels")) == 2


def test_files_of_this_machine_are_copied() -> None:
    Path("cache").mkdir()
    for wheel in WHEELS:
        wheel.write(Path("cache"))
    fetch("--offline", "--find-links", "cache")
    assert sorted(os.listdir("wheels")) == sorted(os.listdir("cache"))


def test_the_hint_of_an_offline_execution_is_followed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["execute", "-q", "--target", "t", "--offline"]
    assert lockstream.main(words) == ExitCode.NETWORK
    assert "lockstream fetch --into DIR gets them" in capsys.readouterr().err
    fetch()
    assert lockstream.main([*words, "--find-links", "wheels"]) == ExitCode.DONE


def test_a_folder_that_cannot_be_made_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("wheels").write_text("")
    assert lockstream.main(["fetch", "--into", "wheels"]) != ExitCode.DONE
    assert "error: wheels: cannot be written: " in capsys.readouterr().err
