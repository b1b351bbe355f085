"""Tasks: every step is taken once, and a lane that reserves some leaves others their share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from executor.lanes.tasks import Tasks, coming, following
from executor.lock.step import Step
from helpers.steps import steps

MANY = 20_000
"""Steps whose numbers are more than a pipe holds by itself."""


@pytest.fixture
def nine() -> Iterator[Tasks]:
    with closing(Tasks(9)) as tasks:
        yield tasks


def test_each_number_is_taken_once_and_in_order(nine: Tasks) -> None:
    assert [nine.take() for _ in range(10)] == [*range(9), None]


def test_there_may_be_more_steps_than_a_pipe_holds() -> None:
    with closing(Tasks(MANY)) as tasks:
        assert tasks.left() == MANY
        assert [tasks.take() for _ in range(MANY + 1)] == [*range(MANY), None]


def test_what_was_reserved_is_taken_first(nine: Tasks) -> None:
    assert [nine.take(), nine.reserve(), nine.reserve()] == [0, 1, 2]
    assert (nine.reserved, nine.left()) == (2, 6)
    assert [nine.take(), nine.take(), nine.take()] == [1, 2, 3]
    assert nine.reserved == 0


def test_nothing_is_reserved_when_all_are_taken(nine: Tasks) -> None:
    while nine.take() is not None:
        pass
    assert nine.reserve() is None
    assert (nine.reserved, nine.left()) == (0, 0)


@pytest.mark.parametrize(("lanes", "ahead"), [(1, 8), (2, 4), (3, 3), (9, 1)])
def test_a_lane_that_must_leave_some_reserves_no_more_than_is_left_for_each_other_lane(
    nine: Tasks, lanes: int, ahead: int
) -> None:
    nine.take()
    found = 0
    while following(steps(9), nine, lambda step: step.filename, lanes, leaves_some=True):
        found += 1
    assert found == ahead


def test_the_next_file_is_its_url_and_its_size(nine: Tasks) -> None:
    assert following(steps(9), nine, lambda step: step.filename, 2, leaves_some=False) == (
        "p0-1-py3-none-any.whl",
        1,
    )


def test_a_step_that_is_not_fetched_is_no_next_file(nine: Tasks) -> None:
    assert following(steps(9), nine, lambda _: None, 2, leaves_some=False) is None
    assert nine.take() == 0


@pytest.mark.parametrize(("lanes", "files"), [(1, 5), (2, 2), (6, 0)])
def test_a_lane_knows_how_many_files_of_a_server_are_its_share(lanes: int, files: int) -> None:
    def address(step: Step) -> str | None:
        number = int(step.name.removeprefix("p"))
        return [f"https://a.example/{number}", "https://a.example.evil/", None][number % 3]

    with closing(Tasks(17)) as tasks:
        tasks.take()
        assert coming(steps(17), tasks, address, lanes, "https://a.example") == files
        while tasks.take() is not None:
            pass
        assert coming(steps(17), tasks, address, lanes, "https://a.example") == 0
