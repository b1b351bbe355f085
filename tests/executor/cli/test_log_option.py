"""The option --log of a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.locks import write_lock
from helpers.run_logs import check_event, read_log
from helpers.wheels import build_wheel

ONE = build_wheel("one")


@pytest.fixture(name="lock")
def lock_of_one_wheel(tmp_path: Path) -> Path:
    return Path(write_lock(tmp_path, [ONE]))


def execute(lock: Path, *words: str) -> subprocess.CompletedProcess[str]:
    where = ["--target", str(lock.parent / "env")]
    return subprocess.run(
        [sys.executable, "-m", "lockstream", "execute", str(lock), *where, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_file_gets_a_line_for_each_event(lock: Path) -> None:
    log = lock.parent / "run.ndjson"
    result = execute(lock, "--log", str(log))
    assert result.returncode == 0, result.stderr
    events = read_log(log)
    assert (events[0]["event"], events[-1]["event"]) == ("run", "end")
    assert events[0]["lock"] == str(lock)


def test_standard_output_gets_nothing_else(lock: Path) -> None:
    result = execute(lock, "--log", "-")
    for line in result.stdout.splitlines():
        check_event(json.loads(line))
    assert "installed 1 package" in result.stderr


def test_two_results_do_not_share_standard_output(lock: Path) -> None:
    result = execute(lock, "--log", "-", "--json")
    assert result.returncode == 2
    assert result.stderr == (
        "error: both the log and --json would go to standard output\n"
        "hint: name a file with --log FILE\n"
    )
    assert not (lock.parent / "env").exists()


def test_a_full_disk_is_told_of_once_and_changes_nothing(lock: Path) -> None:
    result = execute(lock, "--log", "/dev/full")
    assert result.returncode == 0
    assert result.stderr.count("the log could not be written to its end") == 1
    assert (lock.parent / "env" / "one").exists() or os.listdir(lock.parent / "env")


def test_the_lock_is_not_replaced_by_a_log(lock: Path) -> None:
    before = lock.read_bytes()
    result = execute(lock, "--log", str(lock))
    assert result.returncode == 2
    assert result.stderr == (
        f"error: --log {lock}: this file is there already, and is no log\n"
        "hint: name a new file, or that of an older log\n"
    )
    assert lock.read_bytes() == before


def test_a_report_does_not_replace_the_log(lock: Path) -> None:
    path = str(lock.parent / "x.json")
    result = execute(lock, "--log", path, "--report", path)
    assert (result.returncode, result.stderr) == (
        2, "error: --log and --report name one file\nhint: name a file of its own for each\n",
    )  # fmt: skip


def test_a_pipe_gets_every_event_and_may_close(lock: Path) -> None:
    pipe = lock.parent / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        assert execute(lock, "--log", str(pipe)).returncode == 0
        assert reader.stdout is not None
        events = [json.loads(line) for line in reader.stdout]
    assert events[-1]["event"] == "end"
    with subprocess.Popen(["head", "-n1", str(pipe)], stdout=subprocess.DEVNULL):
        result = execute(lock, "--log", str(pipe), "--reinstall")
    assert result.returncode == 0
    assert result.stderr.count("the log could not be written to its end") == 1
