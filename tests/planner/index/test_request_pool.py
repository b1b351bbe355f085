"""An interrupted plan does not wait for requests; any other end does."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event

import pytest

import planner.index.request_pool
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


def test_no_wait_for_a_request_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes just before a wait is seen when it has ended."""
    server, waits = Server(), list[float | None]()

    def wait(futures: tuple[Future[None]], timeout: float | None = None) -> None:
        waits.append(timeout)
        server.may_answer.set()
        concurrent.futures.wait(futures, timeout)

    monkeypatch.setattr(planner.index.request_pool, "wait", wait)
    with RequestPool(1) as pool:
        assert list(pool.ask_all(lambda _: server.ask(), ["demo"])) == [None]
    assert waits
    assert all(one is not None and one <= 1 for one in waits)


def test_the_answers_are_in_the_order_of_the_questions() -> None:
    with RequestPool(4) as pool:
        assert list(pool.ask_all(str, range(100))) == [str(number) for number in range(100)]
