"""plan --log: requests, pages, metadata, search, sizes and the lock."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from helpers.index import Index
from helpers.run_logs import read_log
from helpers.wheels import build_wheel
from lockstream import main
from planner.runs.reading import read_run


def plan(folder: Path, index: Index, *words: str) -> int:
    (folder / "requirements.in").write_text("one\n")
    return main(
        [
            "plan",
            *("-r", str(folder / "requirements.in"), "-o", str(folder / "pylock.toml")),
            *("--default-index", index.url, "--log", str(folder / "log"), *words),
        ]
    )


def test_every_step_is_told(tmp_path: Path, index: Index) -> None:
    index.add(build_wheel("one", requires=["two"]), build_wheel("two"))
    assert plan(tmp_path, index) == 0
    events = read_log(tmp_path / "log")
    counts = Counter(event["event"] for event in events)
    assert counts["request"] >= 4
    assert {event["package"] for event in events if event["event"] == "page"} == {"one", "two"}
    assert counts["metadata"] == 2
    (search,) = (event for event in events if event["event"] == "search")
    (sizes,) = (event for event in events if event["event"] == "sizes")
    (locked,) = (event for event in events if event["event"] == "locked")
    assert (search["packages"], sizes["files"], locked["packages"]) == (2, 2, 2)
    assert (events[-1]["event"], events[-1]["ok"]) == ("end", True)
    run = read_run(str(tmp_path / "log"))
    assert (run.command, run.outcome) == ("plan", "done")


def test_a_plan_without_a_solution_ends_with_it(
    tmp_path: Path, index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(tmp_path, index) == 4
    end = read_log(tmp_path / "log")[-1]
    assert (end["ok"], end["status"]) == (False, 4)
    assert end["error"] in capsys.readouterr().err


def test_secrets_of_addresses_are_not_in_it(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(build_wheel("one"))
    secret = index.url.replace("://", "://user:hunter2@")
    (tmp_path / "requirements.in").write_text("one\n")
    words = ["-r", str(tmp_path / "requirements.in"), "-o", str(tmp_path / "pylock.toml")]
    assert main(["plan", *words, "--default-index", secret, "--log", str(tmp_path / "log")]) == 0
    assert "hunter2" not in (tmp_path / "log").read_text()
    assert len(read_log(tmp_path / "log")) > 4


def test_a_plan_ends_with_what_it_changed(
    tmp_path: Path, index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("one", "1.0", requires=["gone"]), build_wheel("gone"))
    assert plan(tmp_path, index) == 0
    assert "+ one" not in capsys.readouterr().err, "there was no lock before"
    index.add(build_wheel("one", "2.0", requires=["two"]), build_wheel("two"))
    assert plan(tmp_path, index, "--refresh", "--upgrade") == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line[:2] in {"+ ", "- ", "~ "}] == [
        "- gone 1.0",
        "~ one 1.0 -> 2.0",
        "+ two 1.0",
    ]
