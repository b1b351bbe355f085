"""Signals end an execution in order, and never in the middle of a commit."""

from __future__ import annotations

import os
import signal
import time
from threading import Event, Thread

import pytest

from executor.lanes.signals import held_back, stoppable
from schemas.errors import Interrupted

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)


@BOTH
def test_a_signal_raises_its_name_in_the_body(number: signal.Signals) -> None:
    with pytest.raises(Interrupted, match=number.name), stoppable():
        os.kill(os.getpid(), number)


@BOTH
def test_handlers_are_as_before_however_the_body_ends(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stoppable():
        assert signal.getsignal(number) != before
    assert signal.getsignal(number) == before
    with pytest.raises(KeyError), stoppable():
        raise KeyError
    assert signal.getsignal(number) == before


def test_a_second_signal_does_not_interrupt_the_cleaning_up_after_the_first() -> None:
    cleaned = False

    def work() -> None:
        nonlocal cleaned
        try:
            os.kill(os.getpid(), signal.SIGINT)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            cleaned = True

    with pytest.raises(Interrupted, match="SIGINT"), stoppable():
        work()
    assert cleaned


@BOTH
def test_a_signal_waits_until_the_held_back_body_has_ended(number: signal.Signals) -> None:
    steps = []

    def commit() -> None:
        with held_back():
            os.kill(os.getpid(), number)
            steps.append("committed")
        steps.append("not reached")

    with pytest.raises(Interrupted, match=number.name), stoppable():
        commit()
    assert steps == ["committed"]


@BOTH
def test_one_that_another_thread_gets_waits_too(number: signal.Signals) -> None:
    steps, ended = [], Event()

    def commit() -> None:
        with held_back():
            with held_back():
                os.kill(os.getpid(), number)
                for step in range(3):
                    time.sleep(0.02)  # the other thread wakes up for it
                    steps.append(step)
            steps.append(3)
        steps.append(4)

    thread = Thread(target=ended.wait)
    thread.start()
    try:
        with pytest.raises(Interrupted, match=number.name), stoppable():
            commit()
    finally:
        ended.set()
        thread.join()
    assert steps == [0, 1, 2, 3]


def test_an_interruption_by_another_handler_does_not_hold_signals_for_ever() -> None:
    def commit() -> None:
        with held_back():
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        commit()
    with pytest.raises(Interrupted), stoppable():
        os.kill(os.getpid(), signal.SIGTERM)
