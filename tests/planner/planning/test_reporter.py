"""A reporter hears of each remark, and does nothing by itself."""

from __future__ import annotations

import inspect

from planner.planning.reporter import Reporter, tell


class Recording(Reporter):
    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []

    def yanked(self, filename: str, reason: str) -> None:
        self.heard.append((filename, reason))


def test_remarks_reach_the_method_that_they_name() -> None:
    reporter = Recording()
    tell([("yanked", ("a.whl", "broken")), ("newer_api", ("index", "2.0"))], reporter)
    assert reporter.heard == [("a.whl", "broken")]


def test_every_event_may_be_ignored() -> None:
    reporter = Reporter()
    for name, method in inspect.getmembers(reporter, inspect.ismethod):
        arguments = [None] * len(inspect.signature(method).parameters)
        result = method(*arguments)
        assert result is None or name == "watch"


def test_the_context_of_requests_does_nothing() -> None:
    with Reporter().watch(lambda: 1):
        pass
