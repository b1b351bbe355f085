"""What an execution shows while it runs: on a terminal, in a job, and at the end."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import time
from contextlib import redirect_stderr
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import lockstream
from executor.cli import live
from executor.cli.live import LineReporter, LiveReporter, change_lines
from helpers.locks import write_lock
from helpers.wheels import build_wheel

MIB = 1 << 20


def step(name: str, version: str = "1.0", unpacked: int = 10 * MIB) -> Any:
    return SimpleNamespace(
        name=name, version=version, hints=SimpleNamespace(unpacked_size=unpacked)
    )


CHANGES: Any = SimpleNamespace(
    install=[step("zebra"), step("demo", "2.0")],
    remove=[step("demo"), step("gone")],
    replaced={"demo": "1.0"},
    skipped=["sdist-only"],
)
BUDGET: Any = SimpleNamespace(memory=64 * MIB)


def test_a_job_gets_a_line_for_each_wheel(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = LineReporter()
    reporter.selected(CHANGES, BUDGET)
    reporter.staged(0, step("zebra"), cast("Any", None))
    reporter.staged(1, step("demo", "2.0"), cast("Any", None))
    reporter.print_changes()
    assert capsys.readouterr().err.splitlines() == [
        "warning: sdist-only is left out, because it must be built",
        "[1/2] + zebra 1.0",
        "[2/2] ~ demo 1.0 -> 2.0",
        "- gone 1.0",
    ]


def test_a_job_that_waits_says_for_what(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_SILENCE", 0.5)
    with LineReporter() as reporter:
        reporter.selected(CHANGES, BUDGET)
        assert reporter.board is not None
        reporter.board.put("zebra 1.0", MIB, 4 * MIB)
        time.sleep(1.3)
    assert "  0/2 after 1 s, at zebra 1.0 25%" in capsys.readouterr().err


def test_changes_are_sorted_by_name() -> None:
    assert change_lines(CHANGES) == [
        ("~ demo 1.0 -> 2.0", "yellow"),
        ("- gone 1.0", "red"),
        ("+ zebra 1.0", "green"),
    ]


def test_a_terminal_gets_two_lines_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(live, "_columns", lambda: 80)
    with LiveReporter() as reporter:
        reporter.selected(CHANGES, BUDGET)
        reporter.wrote(10 * MIB)
        assert reporter.board is not None
        reporter.board.finish()
        reporter.board.put("zebra 1.0", 0, None)
        time.sleep(0.3)
        reporter.warned("it is odd")
    text = out.getvalue()
    assert "[############------------]  50%  10.0 of 20.0 MiB" in text
    assert "  1/2" in text, "finished out of order"
    assert "of 64.0 MiB | zebra 1.0 (waiting)" in text
    assert "warning: it is odd\n" in text
    assert "\x1b[2K\n\r\x1b[2K\x1b[1A\rwarning: it is odd" in text, "both lines are erased first"
    for line in re.split(r"\n|\r\x1b\[2K|\x1b\[1A\r", text):
        assert len(line) < 80


def on_a_terminal(folder: Path, *words: str, **variables: str) -> str:
    """Return what an execution shows on a terminal."""
    wheel = build_wheel("one")
    write_lock(folder, [wheel])
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "lockstream", "execute", str(folder / "pylock.toml"),
               "--target", str(folder / "env"), *words]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm", **variables}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()


def test_the_memory_is_that_of_the_run_whatever_shares_its_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    group = {"place": 0, "usage": 500 * MIB}
    monkeypatch.setattr(live, "resident", lambda: 20 * MIB)
    reporter = LiveReporter()
    monkeypatch.setattr(reporter._group, "now", lambda: group)
    reporter.selected(CHANGES, BUDGET)
    for place, usage, shown in (
        (0, 500, 20),
        (0, 530, 50),
        (0, 300, 20),
        (1, 40, 40),
        (0, 510, 30),
    ):
        group.update(place=place, usage=usage * MIB)
        assert reporter._state() == f"memory {shown}.0 MiB of 64.0 MiB | starting"


def test_a_terminal_that_erases_no_lines_gets_one_for_each_wheel(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, TERM="dumb")
    assert "[1/1] + one 1.0\r\n" in shown
    assert "\x1b" not in shown


def test_the_bar_gives_way_to_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_columns", lambda: 80)
    changes: Any = SimpleNamespace(
        install=[step(f"one{number}") for number in range(1000)], remove=[], replaced={}, skipped=[]
    )
    reporter = LiveReporter()
    with redirect_stderr(io.StringIO()):
        reporter.selected(changes, BUDGET)
    reporter.wrote(4321 * MIB)
    monkeypatch.setattr(reporter, "_seconds", lambda: 100.0)
    for number in range(999):
        reporter.staged(number, step("one"), cast("Any", None))
    line = reporter._progress()
    assert line.endswith("  2:11 left  999/1000")
    assert len(line) <= 79
    assert re.match(r"\[#+-+\]  43%  4321\.0 of 10,000\.0 MiB  43\.2 MiB/s", line)


def test_what_changed_is_in_colour_on_a_terminal(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, NO_COLOR="", FORCE_COLOR="")
    assert "\x1b[32m+ one 1.0\x1b[0m" in shown
    assert "installed 1 package into" in shown


def test_no_colour_is_shown_if_the_user_wants_none(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, NO_COLOR="1")
    assert "+ one 1.0" in shown
    assert "\x1b[3" not in shown


def test_more_figures_come_with_verbose(tmp_path: Path) -> None:
    assert "memory: peak RSS" not in on_a_terminal(tmp_path)
    assert "memory: peak RSS" in on_a_terminal(tmp_path, "-v", "--reinstall")


def test_without_threads_an_execution_has_no_lines_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    wheel = build_wheel("one")
    write_lock(tmp_path, [wheel])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("threading.Thread.start", refuse)
    assert lockstream.main(["execute", "--target", "env", "--log", "run.log"]) == 0
    assert (tmp_path / "env/one/__init__.py").exists()
