"""A plan asks with the logins of its indexes, and what it has opened is closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from planner.index.access import Access
from planner.index.client import IndexClient
from planner.index.indexes import Indexes, parse_index
from planner.inputs.inputs import Inputs
from planner.inputs.question import Question
from planner.lock.built import Stock
from planner.model.policy import Policy
from planner.planning.reporter import Reporter
from planner.planning.session import open_session

STOCK = Stock()

QUESTION = Question(
    inputs=Inputs(),
    environments=(),
    policy=Policy(),
    indexes=Indexes(places=(parse_index("https://user:secret@index.example/simple/"),)),
    folder="",
    provenance={},
)


class Watching(Reporter):
    def __init__(self) -> None:
        self.events: list[str] = []

    @contextmanager
    def watch(self, requests: Callable[[], int]) -> Iterator[None]:
        self.events.append(f"watches {requests()} requests")
        yield
        self.events.append("watches no more")


def test_the_logins_of_the_indexes_are_known_and_a_plan_does_not_build_by_itself() -> None:
    with open_session(QUESTION, Access(), Reporter()) as session:
        assert "secret" in session.client.keychain.secrets
        assert session.builder is None
        assert session.stock == Stock()


def test_a_builder_is_watched_and_closed_also_after_an_error() -> None:
    reporter = Watching()

    @contextmanager
    def open_builder(client: IndexClient) -> Iterator[tuple[None, Stock]]:
        reporter.events.append("opened")
        try:
            yield None, STOCK
        finally:
            reporter.events.append(f"closed after {client.requests} requests")

    def work() -> None:
        with open_session(QUESTION, Access(), reporter, open_builder) as session:
            assert session.stock is STOCK
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        work()
    assert reporter.events == ["opened", "watches 0 requests", "closed after 0 requests"]
