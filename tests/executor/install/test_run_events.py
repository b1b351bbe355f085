"""The log of an execution tells all of it, in every end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from executor.api import execute
from executor.budget.confinement import place_for_group
from executor.report.recorder import Recorder
from executor.report.report import Report
from executor.report.reporter import Reporter
from helpers.environments import environment_below
from helpers.index import Index
from helpers.locks import write_lock
from helpers.run_logs import read_log
from helpers.wheels import Wheel, build_wheel
from schemas.errors import ArtifactRefused

WHEELS = [build_wheel(name) for name in ("one", "two", "three")]


def run(
    folder: Path, *wheels: Wheel, lanes: int = 2, base_url: str | None = None
) -> tuple[Report | None, list[dict[str, Any]]]:
    folder.mkdir(exist_ok=True)
    reporter = Reporter()
    reporter.recorder = Recorder.opened(str(folder / "log"))
    write_lock(folder, wheels, base_url=base_url)
    report = None
    with suppress(ArtifactRefused):
        report = execute(
            str(folder / "pylock.toml"),
            environment_below(folder / "env"),
            reporter=reporter,
            lanes=lanes,
        )
    return report, read_log(folder / "log")


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events if event["event"] != "sample"]


def test_each_wheel_and_each_step_is_told(tmp_path: Path) -> None:
    report, events = run(tmp_path, *WHEELS, lanes=1)
    wheel = ["begins", "waits", "unpacked", "written", "staged"]
    assert kinds(events) == [
        "run", "limits", "limits", "budget", "selected", *["package"] * 3,
        *wheel * 3, *["commit"] * 4, "end",
    ]  # fmt: skip
    assert any(event["event"] == "sample" for event in events)
    assert report is not None
    end = events[-1]
    assert (end["ok"], end["installed"], end["files"]) == (True, 3, report.files)


def test_the_lanes_of_a_run_are_its_processes(tmp_path: Path) -> None:
    _, events = run(tmp_path, *WHEELS, lanes=2)
    own = events[0]["process"]
    begun = {event["package"]: event["process"] for event in events if event["event"] == "begins"}
    assert begun.keys() == {"one", "two", "three"}
    assert len({own, *begun.values()}) <= 2


def test_what_came_over_the_wire_is_counted(tmp_path: Path, index: Index) -> None:
    index.add(*WHEELS)
    report, events = run(tmp_path, *WHEELS, base_url=f"{index.origin}/files")
    assert report is not None
    assert report.bytes_fetched == sum(wheel.size for wheel in WHEELS)
    told = {event["package"]: event["fetched"] for event in events if event["event"] == "staged"}
    assert told == {package.name: package.fetched for package in report.packages}
    assert sum(package.spent.network for package in report.packages) > 0


def test_a_wheel_that_is_refused_is_told(tmp_path: Path) -> None:
    _, events = run(tmp_path, WHEELS[0], build_wheel("bad", files={"../x": b""}), lanes=1)
    assert "failed" in kinds(events)
    end = events[-1]
    assert (end["event"], end["ok"], end["status"]) == ("end", False, 6)
    failed = next(event for event in events if event["event"] == "failed")
    assert failed["package"] == "bad"
    assert end["error"] == failed["error"]


def test_a_killed_run_leaves_what_it_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (pid := os.fork()) == 0:
        with monkeypatch.context() as patched:
            patched.setattr(
                "executor.transaction.stager.stage_wheel",
                lambda *_: os.kill(os.getpid(), signal.SIGKILL),
            )
            run(tmp_path, *WHEELS, lanes=1)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    events = read_log(tmp_path / "log")
    assert kinds(events)[-1] == "begins"
    assert "end" not in kinds(events)


@pytest.mark.skipif(place_for_group() is None or os.geteuid() != 0, reason="needs its own group")
def test_a_group_of_its_own_is_told_with_what_is_charged_elsewhere(tmp_path: Path) -> None:
    write_lock(tmp_path, WHEELS)
    reporter = Reporter()
    reporter.recorder = Recorder.opened(str(tmp_path / "log"))
    report = execute(
        str(tmp_path / "pylock.toml"), environment_below(tmp_path / "env"),
        reporter=reporter, memory=1 << 30,
    )  # fmt: skip
    events = read_log(tmp_path / "log")
    assert report.is_confined
    (confined,) = (event for event in events if event["event"] == "confined")
    assert confined["before"] == report.charged_before
    assert events[-2]["group"]["place"] == 0, "the last sample is taken where the run began"
