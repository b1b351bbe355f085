"""Lanes write what they are at, and their parent reads it."""

from __future__ import annotations

import os

import pytest

from executor.report.board import AtWork, Board


def test_forks_write_and_their_parent_reads() -> None:
    board = Board()
    board.put("one 1.0", 50, 100)
    if (pid := os.fork()) == 0:
        board.put("two 2.0", 0, None)
        os._exit(0)
    os.waitpid(pid, 0)
    assert set(board.read()) == {AtWork("one 1.0", 50, 100), AtWork("two 2.0", 0, 0)}
    board.finish()
    assert [*board.read()] == [AtWork("two 2.0", 0, 0)]


def test_names_of_any_length_fit() -> None:
    board = Board()
    board.put("ü" * 1000, 1, 2)
    (work,) = board.read()
    assert work.name.startswith("üüü")


def test_work_in_words() -> None:
    assert str(AtWork("one", 0, 9)) == "one (waiting)"
    assert str(AtWork("one", 3, 0)) == "one"
    assert str(AtWork("one", 45, 100)) == "one 45%"


def test_what_is_finished_is_counted_for_all_lanes() -> None:
    board = Board()
    for _ in range(3):
        if (pid := os.fork()) == 0:
            board.put("two 2.0", 1, 2)
            board.finish()
            os._exit(0)
        os.waitpid(pid, 0)
    board.finish()
    assert board.finished() == 4
    assert [*board.read()] == []


def test_processes_whose_numbers_are_alike_do_not_share_a_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board = Board()
    for pid in (1000, 1016, 1032):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        board.put(f"{pid}", 1, 2)
    assert {one.name for one in board.read()} == {"1000", "1016", "1032"}
    for pid in range(2000, 2040):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        board.put(f"{pid}", 1, 2)
    assert len([*board.read()]) == 16
