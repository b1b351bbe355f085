"""A log is read as far as it goes; what is not a log is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.run_logs import beginning, write_log
from planner.inputs.errors import UnreadableInput
from planner.runs import log
from planner.runs.log import InvalidLog, read_events


def test_a_line_that_is_torn_is_left_out(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log", beginning(), torn='{"event":"sam')
    *events, warning = read_events(str(path))
    assert [one["event"] for one in events] == ["run", "limits", "budget"]
    assert warning["text"] == "the last line of the log is torn: its disk may have been full"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        ("no json\n", "line 1 is not JSON"),
        ('{\n  "format": 1\n}\n', "it is one document, as --report writes it, not a log"),
        ("[" * 100_000 + "\n", "line 1 is not JSON"),
        ("[]\n", "line 1 is not an event: it has no name or no time"),
        ('{"event":"run"}\n', "line 1 is not an event: it has no name or no time"),
        ('{"event":"end","at":1}\n', "its first line is not the beginning of a run"),
        (
            '{"event":"run","at":0,"format":2}\n',
            "it has format 2, and this version reads format 1",
        ),
        ('{"event":"run","at":NaN,"format":1}\n', "line 1 is not JSON"),
        ('{"event":"run","at":1e999,"format":1}\n', "line 1 is not JSON"),
        (f'{{"event":"run","at":{"9" * 5000},"format":1}}\n', "line 1 is not JSON"),
        ('{"event":"run","at":0,"format":1}\n', "event 1 (run) lacks a field"),
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


def test_two_runs_in_one_file_are_refused(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log", [*beginning(), *beginning()])
    with pytest.raises(InvalidLog) as caught:
        read_events(str(path))
    assert str(caught.value) == f"{path}: event 4 is the beginning of another run"
    assert "a log of its own" in caught.value.hint


def test_a_field_of_another_type_is_named(tmp_path: Path) -> None:
    events = beginning()
    events[2]["lanes"] = "two"
    with pytest.raises(InvalidLog) as caught:
        read_events(str(write_log(tmp_path / "log", events)))
    assert str(caught.value).endswith("event 3 (budget) has a wrong lanes: type is integer")


def test_bytes_that_are_no_text_can_be_shown(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log", beginning(lock="/tmp/\udcff/\ud83d\ude00"))
    lock = read_events(str(path))[0]["lock"]
    assert lock.encode().startswith(b"/tmp/?/")


def test_what_a_stranger_wrote_into_a_log_is_shown_without_escapes_and_secrets(
    tmp_path: Path,
) -> None:
    """A page shows it, where no terminal's gate is."""
    hostile = "/x\u202ey\x1b]8;;z\u200b https://u:p4ss@h.example/?X-Amz-Signature=s1g\nnext"
    lock = read_events(str(write_log(tmp_path / "log", beginning(lock=hostile))))[0]["lock"]
    assert lock.replace("\n", "").isprintable()
    assert lock.splitlines()[1] == "next"
    assert "p4ss" not in lock
    assert "s1g" not in lock


def test_a_log_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_log(tmp_path / "log", beginning())
    os.truncate(path, 3 << 20)
    monkeypatch.setattr(log, "_MAX_SIZE", 2 << 20)
    with pytest.raises(InvalidLog, match="it is larger than 2 MiB"):
        read_events(str(path))


def test_a_damaged_line_becomes_a_warning_and_many_are_no_log(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log", beginning())
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([first, '{"event":"bytes","at":{"event":"end"', *others, ""]))
    events = read_events(str(path))
    assert [one["event"] for one in events] == ["run", "warning", "limits", "budget"]
    assert events[1]["text"] == "line 2 of the log is damaged, and left out"
    path.write_text("\n".join([first, *["x"] * 11, *others, ""]))
    with pytest.raises(InvalidLog, match="line 12 is not JSON"):
        read_events(str(path))
