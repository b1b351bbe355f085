"""A folder gets all files of a lock, and an execution without a network finds them there."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

import lockstream
from helpers.descriptors import limited_file_size
from helpers.locks import serve_lock
from helpers.servers import Server, file
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode
from schemas.zipformat import Method

WHEELS = [build_wheel(name, "1.0") for name in ("base", "app")]


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.chdir(tmp_path)
    serve_lock(server, WHEELS)


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
    assert " --into DIR gets them" in capsys.readouterr().err
    fetch()
    assert lockstream.main([*words, "--find-links", "wheels"]) == ExitCode.DONE


def test_a_folder_that_cannot_be_made_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("wheels").write_text("")
    assert lockstream.main(["fetch", "--into", "wheels"]) != ExitCode.DONE
    assert "error: wheels: cannot be written: " in capsys.readouterr().err


def test_the_hint_names_the_lock_and_the_target_of_the_machine(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    other = build_wheel("other", "1.0", tag="cp312-cp312-win_amd64")
    server.script(f"/{other.filename}", file(other.content))
    Path("pylock.win.toml").write_text(lock_of([other], base_url=server.origin))
    words = ["execute", "-q", "pylock.win.toml", "--target", "t", "--offline"]
    words += ["--python-version", "3.12", "--platform", "win_amd64"]
    assert lockstream.main(words) == ExitCode.NETWORK
    error = capsys.readouterr().err
    assert f"offline, and 1 file is not on this machine: {other.filename}" in error
    found = re.search(r"(?<=lockstream )fetch .*(?= --into DIR gets them)", error)
    assert found
    assert lockstream.main([*found[0].split(), "--into", "wheels"]) == ExitCode.DONE
    assert os.listdir("wheels") == [other.filename]


def test_the_size_of_what_came_is_told_if_the_lock_has_none(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = build_wheel("large", "1.0", files={"large.py": b"x" * (3 << 20)}, method=Method.STORED)
    server.script(f"/{wheel.filename}", file(wheel.content))
    lock = tomllib.loads(lock_of([wheel], base_url=server.origin))
    del lock["packages"][0]["wheels"][0]["size"]
    Path("pylock.toml").write_text(tomli_w.dumps(lock))
    fetch()
    assert capsys.readouterr().out == "wheels: 1 file for 1 target, 1 fetched (3.0 MiB)\n"


def test_a_lock_for_another_python_is_fetched_for_a_named_one(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    header = {"requires-python": ">=3.99"}
    Path("pylock.toml").write_text(lock_of(WHEELS, base_url=server.origin, header=header))
    fetch(status=ExitCode.NO_SOLUTION)
    assert "name a target that the lock is for, with --python-version" in capsys.readouterr().err
    fetch("--python-version", "3.99")
    assert len(os.listdir("wheels")) == len(WHEELS)


@pytest.mark.parametrize("name", [WHEELS[0].filename, ".fetching"])
def test_a_folder_with_the_name_of_a_file_is_named(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path("wheels", name)
    folder.mkdir(parents=True)
    fetch(status=ExitCode.USAGE)
    assert f"error: {folder.absolute()}: cannot be written: Is a dir" in capsys.readouterr().err
    folder.rmdir()
    fetch()


def test_a_file_in_other_case_stays_as_some_file_systems_find_it() -> None:
    Path("wheels").mkdir()
    Path("wheels", WHEELS[0].filename.upper().replace("WHL", "whl")).write_bytes(b"")
    fetch("--prune")
    assert len(os.listdir("wheels")) == len(WHEELS) + 1


def test_a_limit_of_file_sizes_is_named(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = build_wheel("large", "1.0", files={"large.py": b"x" * (1 << 20)}, method=Method.STORED)
    server.script(f"/{wheel.filename}", file(wheel.content))
    Path("pylock.toml").write_text(lock_of([wheel], base_url=server.origin))
    with limited_file_size(1 << 18):
        fetch(status=ExitCode.NOT_ENOUGH)
    assert "hint: raise the limit of file sizes (ulimit -f)" in capsys.readouterr().err
    assert not Path("wheels").exists()


@pytest.mark.parametrize("available", [None, 24 << 20, 1 << 30])
def test_the_lock_is_read_with_little_memory_and_with_much(
    available: int | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("executor.install.file_source.available_memory", lambda: available)
    fetch("--json", "--python-version", "3.12", "--platform", "win_amd64")
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["files"]] == [wheel.filename for wheel in WHEELS]
    fetch("--python-version", "3.x", status=ExitCode.USAGE)
    assert "3.x" in capsys.readouterr().err
