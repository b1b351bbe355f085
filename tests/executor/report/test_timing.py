"""The times of an execution add up."""

from __future__ import annotations

from executor.report.timing import Timing


def test_the_times_of_lanes_add_up() -> None:
    assert Timing(1, 2, 3, 4) + Timing(10, 20, 30, 40) == Timing(11, 22, 33, 44)
