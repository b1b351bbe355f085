"""A log is read as far as it goes; what is not a log is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.run_logs import beginning, write_log
from planner.inputs.errors import UnreadableInput
from planner.runs.log import InvalidLog, read_events


def test_a_line_that_a_kill_has_torn_is_left_out(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log", beginning(), torn='{"event":"sam')
    assert [one["event"] for one in read_events(str(path))] == ["run", "limits", "budget"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("no json\n", "line 1 is not JSON"),
        ("[" * 100_000 + "\n", "line 1 is not JSON"),
        ("[]\n", "line 1 is not an event: it has no name or no time"),
        ('{"event":"run"}\n', "line 1 is not an event: it has no name or no time"),
        ('{"event":"end","at":1}\n', "its first line is not the beginning of a run"),
        (
            '{"event":"run","at":0,"format":2}\n',
            "it has format 2, and this version reads format 1",
        ),
    ],
)
def test_what_is_not_a_log_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "log"
    path.write_text(text)
    with pytest.raises(InvalidLog) as caught:
        read_events(str(path))
    assert str(caught.value) == f"{path}: {problem}"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput) as caught:
        read_events(str(tmp_path / "absent"))
    assert "No such file" in str(caught.value)


@pytest.mark.parametrize("path", ["pipe", "/dev/zero", "."])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableInput, match=r"not a regular file|directory"):
        read_events(str(tmp_path / path))
