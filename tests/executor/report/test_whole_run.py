"""A run in its log begins once, is sampled, and ends with its error."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from executor.report.recorder import Recorder
from executor.report.whole_run import run_recorded
from helpers.run_logs import read_log
from schemas.errors import Interrupted, NetworkError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NetworkError("no answer"), 5),
        (Interrupted(signal.SIGTERM, "SIGTERM"), 143),
        (ValueError(), None),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_is_its_end(tmp_path: Path, error: BaseException, status: int | None) -> None:
    recorder = Recorder.opened(str(tmp_path / "log"))
    with pytest.raises(type(error)), run_recorded(recorder, "plan"):
        raise error
    first, *samples, end = read_log(tmp_path / "log")
    assert (first["event"], first["command"]) == ("run", "plan")
    assert {one["event"] for one in samples} == {"sample"}
    assert (end["event"], end["ok"], end["status"]) == ("end", False, status)
    names = {ValueError: "ValueError", KeyboardInterrupt: "interrupted"}
    assert end["error"] == (str(error) or names[type(error)])


def test_without_a_log_nothing_is_done() -> None:
    with run_recorded(Recorder(), "plan"):
        pass
