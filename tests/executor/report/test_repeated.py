"""Something is done again and again, in a thread that ends with its context."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from threading import Event

import pytest

from executor.report.repeated import Repeated


def test_it_is_done_again_and_again_in_another_thread() -> None:
    again, threads = Event(), list[threading.Thread]()

    def work() -> None:
        threads.append(threading.current_thread())
        if len(threads) == 3:
            again.set()

    with Repeated(work, 0.001):
        assert again.wait(20)
    done = len(threads)
    assert threading.current_thread() not in threads
    time.sleep(0.01)
    assert len(threads) == done


def test_nothing_is_done_before_the_time_has_passed() -> None:
    done: list[int] = []
    with Repeated(lambda: done.append(1), 60):
        pass
    assert not done


def test_it_may_be_done_at_once() -> None:
    done = Event()
    with Repeated(done.set, 60, at_once=True):
        assert done.wait(20)


@pytest.mark.parametrize("never", [True, False], ids=["begins never", "cannot be made"])
def test_where_no_thread_can_be_made_nothing_is_done(
    never: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(*_: object) -> None:
        if not never:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr("_thread.start_new_thread", start)
    done: list[int] = []
    with Repeated(lambda: done.append(1), 0.001):
        pass
    assert not done


def test_a_thread_that_begins_after_its_end_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    begin: list[Callable[[], object]] = []
    monkeypatch.setattr("_thread.start_new_thread", lambda run, _: begin.append(run))
    done: list[int] = []
    with Repeated(lambda: done.append(1), 0.001, at_once=True):
        pass
    begin[0]()
    assert not done
