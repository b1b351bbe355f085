"""What a wheel takes is counted from the beginning of its own work."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from executor.files.writer import FileWriter
from executor.lock.step import Source, Step
from executor.report.board import Board
from executor.report.effort import Effort
from executor.report.recorder import Recorder
from executor.sources.client import HttpClient
from helpers.run_logs import read_log

STEP = Step(
    name="demo", version="1", filename="demo-1-py3-none-any.whl", url=None, path="", size=None,
    hashes=(), hints=None, is_direct=False,
)  # fmt: skip


def test_what_neither_the_network_nor_the_disk_took_is_unpacking() -> None:
    client, writer = HttpClient(), FileWriter(None)
    client.waited, writer.seconds = 5.0, 7.0
    began = time.perf_counter()
    effort = Effort(STEP, client, writer, Recorder())
    time.sleep(0.05)
    client.waited += 0.01
    writer.seconds += 0.02
    spent = effort.timing()
    took = time.perf_counter() - began
    assert (spent.network, spent.writing) == pytest.approx((0.01, 0.02))
    assert 0.02 <= spent.unpacking <= took - 0.03


def test_bytes_are_told_of_ten_times_a_second_at_most(tmp_path: Path) -> None:
    recorder = Recorder.opened(str(tmp_path / "log"))
    effort = Effort(STEP, HttpClient(), FileWriter(None), recorder)
    for _ in effort.chunks([b"abc"] * 60, "here"):
        time.sleep(0.005)
    first, waits, *several, unpacked = read_log(tmp_path / "log")
    assert (first["event"], first["version"]) == ("begins", "1")
    assert (waits["event"], waits["source"]) == ("waits", "here")
    assert (unpacked["event"], unpacked["read"]) == ("unpacked", 180)
    assert 1 <= len(several) <= 9
    assert {event["event"] for event in several} == {"bytes"}
    assert sorted(event["read"] for event in several) == [event["read"] for event in several]


def test_a_failure_is_told(tmp_path: Path) -> None:
    effort = Effort(STEP, HttpClient(), FileWriter(None), Recorder.opened(str(tmp_path / "log")))
    effort.failed(ValueError())
    _, failed = read_log(tmp_path / "log")
    assert (failed["error"], failed["kind"]) == ("ValueError", "ValueError")


def test_the_board_says_what_is_waited_for_and_what_is_built() -> None:
    board = Board()
    writer = FileWriter(None)
    Effort(STEP, HttpClient(), writer, Recorder(), board)
    assert list(map(str, board.read())) == ["demo 1 (waiting)"]
    source = Source(record=None)
    Effort(replace(STEP, source=source), HttpClient(), writer, Recorder(), board)
    assert list(map(str, board.read())) == ["demo 1 (building)"]
