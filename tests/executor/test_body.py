"""Body: what comes too slowly, or for too long, is given up; our own time does not count."""

from __future__ import annotations

import pytest

from executor.sources.body import Pace, Retryable


def test_a_fast_body_may_stall_now_and_then() -> None:
    pace = Pace(0.0)
    for second in range(100):
        pace.add(2000, 1.0, float(second))
    assert not pace.is_slow


def test_a_slow_body_is_given_up_at_the_second_look() -> None:
    pace = Pace(0.0)
    pace.add(1_000_000, 1.0, 1.0)
    for second in range(19):
        pace.add(100, 1.0, float(second))
    with pytest.raises(Retryable, match="fewer than 1000 bytes a second"):
        pace.add(100, 21.0, 41.0)


def test_time_that_we_take_ourselves_does_not_count() -> None:
    pace = Pace(0.0)
    for hour in range(4):
        pace.add(100, 0.01, 3600.0 * hour)
    assert not pace.is_slow


def test_an_attempt_that_only_waits_is_slow() -> None:
    pace = Pace(0.0)
    pace.add(1000, 0.1, 0.1)
    assert not pace.is_slow
    pace.add(0, 15.0, 15.1)
    assert pace.is_slow


def test_no_file_takes_for_ever() -> None:
    pace = Pace(0.0)
    pace.add(1 << 30, 1.0, 4 * 3600.0)
    with pytest.raises(Retryable, match="more than 4 hours"):
        pace.add(1 << 30, 1.0, 4 * 3600.0 + 1)
