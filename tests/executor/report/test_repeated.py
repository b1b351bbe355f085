"""Something is done again and again, in a thread that ends with its context."""

from __future__ import annotations

import threading
from threading import Event

import pytest

from executor.report.repeated import Repeated


def test_it_is_done_again_and_again_in_another_thread() -> None:
    again, threads = Event(), list[threading.Thread]()

    def work() -> None:
        threads.append(threading.current_thread())
        if len(threads) == 3:
            again.set()

    with Repeated(work, 0.001, "tests"):
        assert again.wait(20)
    assert {thread.name for thread in threads} == {"tests"}
    assert not any(thread.is_alive() for thread in threads)


def test_nothing_is_done_before_the_time_has_passed() -> None:
    done: list[int] = []
    with Repeated(lambda: done.append(1), 60, "tests"):
        pass
    assert not done


def test_where_no_thread_can_be_made_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    done: list[int] = []
    with Repeated(lambda: done.append(1), 0.001, "tests"):
        pass
    assert not done
