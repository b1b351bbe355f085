"""A question is answered from the indexes, or from what is remembered of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from helpers.index import Index
from helpers.wheels import build_wheel
from planner.index.access import Access
from planner.index.cache import Cache
from planner.index.client import IndexClient
from planner.index.indexes import Indexes, parse_index
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.question import Question
from planner.lock.built import Stock
from planner.model.environments import group_targets
from planner.model.policy import Policy
from planner.planning.answer import answer
from planner.planning.answer_cache import AnswerCache
from planner.planning.reporter import Reporter
from schemas.target import Target


@pytest.fixture
def question(index: Index, tmp_path: Path) -> Question:
    index.add(build_wheel("app", "1.0"))
    required = InputRequirement(requirement=Requirement("app"), origin="requirements.in:1")
    return Question(
        inputs=Inputs(requirements=(required,)),
        environments=group_targets([Target.named("3.11", "linux")]),
        policy=Policy(),
        indexes=Indexes(places=(parse_index(index.url),)),
        folder=str(tmp_path),
        provenance={
            "inputs": {"requirements": ["requirements.in"]},
            "options": {},
            "policy": {"align": False},
        },
    )


def test_a_lock_holds_the_answer_and_its_provenance(question: Question) -> None:
    found = answer(question, Access(), reporter=Reporter())
    assert found.lock is not None
    assert [package.name for package in found.lock.packages] == ["app"]
    assert found.lock.tool is not None
    table = found.lock.tool["lockstream"]
    assert table["inputs"] == {"requirements": ["requirements.in"]}
    assert table["policy"] == {"align": False}


def test_a_remembered_answer_is_confirmed_by_its_pages(
    question: Question, index: Index, tmp_path: Path
) -> None:
    cache = Cache(str(tmp_path / "cache"))
    memo = AnswerCache(cache, question.cache_key())
    first = answer(question, Access(cache=cache), reporter=Reporter(), memo=memo)
    again = answer(question, Access(cache=cache, refresh=True), reporter=Reporter(), memo=memo)
    assert (again.lock, again.text) == (None, first.text)
    index.add(build_wheel("app", "2.0"))
    newer = answer(question, Access(cache=cache, refresh=True), reporter=Reporter(), memo=memo)
    assert newer.lock is not None
    assert [str(package.version) for package in newer.lock.packages] == ["2.0"]


def test_a_builder_is_open_while_indexes_are_asked_and_closed_then(question: Question) -> None:
    events: list[str] = []

    class Watched(Reporter):
        def watch(self, requests):  # type: ignore[no-untyped-def]  # as the base has it
            events.append("asked")
            return super().watch(requests)

    @contextmanager
    def open_builder(client: IndexClient) -> Iterator[tuple[None, Stock]]:
        events.append("opened")
        yield None, Stock()
        events.append("closed")

    answer(question, Access(), reporter=Watched(), open_builder=open_builder)
    assert events == ["opened", "asked", "closed"]
