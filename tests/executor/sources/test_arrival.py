"""Only what is of use counts as progress, and what is around it has a limit."""

from __future__ import annotations

import pytest

from executor.sources.arrival import Arrival
from executor.sources.retries import Pace

KB = 1000


@pytest.fixture(name="arrival")
def _arrival() -> Arrival:
    return Arrival(Pace(deadline=1e9, idle=15))


def arrive(arrival: Arrival, seconds: int, rate: int, *, useful: float = 0.0) -> None:
    for second in range(seconds):
        arrival.add(rate, 1.0, float(second))
        arrival.used(int(rate * useful))


def test_a_body_in_time_is_right(arrival: Arrival) -> None:
    arrival.begin_body()
    arrive(arrival, 600, 2 * KB, useful=1)
    assert not arrival.problem


def test_chunks_of_one_byte_are_right(arrival: Arrival) -> None:
    arrival.begin_body()
    arrive(arrival, 600, 6 * KB, useful=1 / 6)
    assert not arrival.problem


@pytest.mark.parametrize("rate", [100, 1 * KB, 2 * KB])
def test_bytes_of_no_use_are_silence(arrival: Arrival, rate: int) -> None:
    arrival.begin_body()
    arrive(arrival, 60, rate)
    assert arrival.problem == "it sends fewer than 1000 bytes a second"
    assert not arrival.is_beyond_measure


def test_more_around_the_file_than_of_it_ends_at_once(arrival: Arrival) -> None:
    arrival.begin_body()
    arrive(arrival, 2, 1000 * KB)
    assert arrival.problem == "it sends more around the file than of it"
    assert arrival.is_beyond_measure


@pytest.mark.parametrize(("rate", "seconds"), [(100, 30), (1 * KB, 60), (2 * KB, 60)])
def test_a_head_without_end_is_silence_too(arrival: Arrival, rate: int, seconds: int) -> None:
    arrive(arrival, seconds, rate)
    assert arrival.problem == "it sends fewer than 1000 bytes a second"


def test_a_fast_head_without_end_ends_at_once(arrival: Arrival) -> None:
    arrive(arrival, 2, 1000 * KB)
    assert arrival.problem == "the head of its response does not end"
    assert arrival.is_beyond_measure


def test_the_deadline_is_named_in_its_unit() -> None:
    for total, name in ((600.0, "10 minutes"), (4 * 3600.0, "4 hours")):
        arrival = Arrival(Pace(100.0, 15, total))
        arrival.begin_body()
        arrival.add(10**6, 1.0, 101.0)
        assert arrival.problem == f"it has taken more than {name}"
