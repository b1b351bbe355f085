"""Memory and disk that an execution needs."""

from __future__ import annotations

import pytest

from executor.budget.budget import Surface, decide_budget
from executor.budget.errors import BudgetTooSmall
from schemas.demand import BASE_DISK, BLOCK_SIZE, disk_of, peak_memory
from schemas.hints import WheelHints


@pytest.mark.parametrize("lanes", [1, 2, 3, 7])
def test_the_executor_accepts_the_memory_that_the_planner_predicts_and_no_less(
    lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without byte code, as in a fresh clone whose tests may not write any, one takes more.
    monkeypatch.setattr("executor.budget.budget.has_byte_code", lambda: True)
    memory, surface = peak_memory(lanes), Surface(has_journal=True, is_secured=True)
    assert decide_budget(memory, lanes, surface=surface).lanes == lanes
    if lanes > 1:
        assert decide_budget(memory - 1, lanes, surface=surface).lanes == lanes - 1
    else:
        with pytest.raises(BudgetTooSmall):
            decide_budget(memory - 1, lanes, surface=surface)


def test_each_file_leaves_half_a_block_empty() -> None:
    hints = WheelHints(unpacked_size=10_000, files=3, largest_file=9_000)
    assert disk_of([(5_000, hints)]) == BASE_DISK + 10_000 + 3 * BLOCK_SIZE // 2


def test_a_wheel_that_cannot_be_streamed_takes_its_own_size_too() -> None:
    hints = WheelHints(unpacked_size=1000, files=0, largest_file=1000)
    spooled = WheelHints(unpacked_size=1000, files=0, largest_file=1000, streamable=False)
    assert disk_of([(500, spooled)]) == disk_of([(500, hints)]) + 500


def test_an_empty_lock_needs_the_base_alone() -> None:
    assert disk_of([]) == BASE_DISK
