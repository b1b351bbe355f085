"""An interrupted plan does not wait for requests; any other end does."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Event

import pytest

from planner.index.request_pool import RequestPool


class Server:
    """Answers when it may."""

    def __init__(self) -> None:
        self.queued: Future[None] = Future()
        self.asked, self.may_answer, self.has_answered = Event(), Event(), Event()

    def ask(self) -> None:
        self.asked.set()
        self.may_answer.wait()
        self.has_answered.set()


def ask_and(end: Callable[[], None], server: Server) -> None:
    """Let one request be under way and another one wait for its thread, then ``end``."""
    with RequestPool(1) as pool:
        pool.submit(server.ask)
        server.queued = pool.submit(server.ask)
        server.asked.wait()
        end()


def test_an_interrupted_context_ends_while_a_server_is_silent() -> None:
    server = Server()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask_and(interrupt, server)
    assert not server.has_answered.is_set()
    assert server.queued.cancelled()
    server.may_answer.set()


def test_an_error_waits_for_what_is_under_way_and_drops_what_is_not() -> None:
    server = Server()

    def fail() -> None:
        server.may_answer.set()
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        ask_and(fail, server)
    assert server.has_answered.is_set()
    assert server.queued.done()


def test_a_whole_run_waits_for_what_is_under_way_and_drops_what_is_not() -> None:
    server = Server()
    ask_and(server.may_answer.set, server)
    assert server.has_answered.is_set()
    assert server.queued.done()


def test_what_is_dropped_is_not_asked_for() -> None:
    """The first request holds the only thread until the pool has dropped the second one."""
    asked: list[int] = []
    begun, holds = Event(), Event()

    def ask(number: int) -> None:
        asked.append(number)
        begun.set()
        holds.wait()

    with RequestPool(1) as pool:
        pool.submit(ask, 1)
        queued = pool.submit(ask, 2)
        queued.add_done_callback(lambda _: holds.set())
        begun.wait()
    assert asked == [1]
    assert queued.cancelled()
