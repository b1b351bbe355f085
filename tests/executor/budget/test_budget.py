"""Budget: as many lanes as memory allows, and none that it does not."""

from __future__ import annotations

import pytest

from executor.budget import budget as budget_module
from executor.budget.budget import (
    INODES,
    LARGEST_WINDOW,
    MAX_LANES,
    Budget,
    decide_budget,
)
from executor.budget.errors import BudgetTooSmall
from executor.budget.memory import Limit
from executor.budget.processors import usable_processors
from executor.files.mounts import FileSystem
from schemas.demand import BASE_MEMORY, JOURNAL_MEMORY, LANE_MEMORY
from schemas.errors import ExitCode

MIB = 1 << 20
SOURCE = "/sys/fs/cgroup/memory.max"


def surround(monkeypatch: pytest.MonkeyPatch, available: int | None, programs: int = 0) -> None:
    """Let the process stand in a cgroup that leaves so many bytes, and is charged for its program
    with so many of them.
    """
    limit = None if available is None else Limit(available, SOURCE, programs)
    monkeypatch.setattr(budget_module, "smallest_limit", lambda: limit)


@pytest.mark.parametrize("lanes", [1, 2, 5])
def test_memory_for_some_lanes_is_spent_on_as_many(lanes: int) -> None:
    assert decide_budget(BASE_MEMORY + lanes * LANE_MEMORY, 10).lanes == lanes
    assert decide_budget(BASE_MEMORY + (lanes + 1) * LANE_MEMORY - 1, 10).lanes == lanes


def test_more_lanes_than_are_useful_are_made_only_on_demand() -> None:
    default = decide_budget(1 << 40)
    assert default.lanes == min(MAX_LANES, usable_processors())
    assert decide_budget(1 << 40, 7).lanes == 7


def test_what_memory_allows_goes_before_what_is_asked_for() -> None:
    assert decide_budget(BASE_MEMORY + LANE_MEMORY, 7) == Budget(
        BASE_MEMORY + LANE_MEMORY, "--memory", 1, 6 * MIB
    )


def test_a_budget_that_is_given_goes_before_the_surroundings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surround(monkeypatch, 5 * MIB)
    assert decide_budget(64 * MIB).source == "--memory"


def test_without_a_budget_the_surroundings_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch, BASE_MEMORY + LANE_MEMORY)
    assert decide_budget() == Budget(BASE_MEMORY + LANE_MEMORY, SOURCE, 1, 6 * MIB)


def test_without_any_limit_nothing_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch, None)
    assert decide_budget(lanes=3) == Budget(None, "no limit", 3, None)


@pytest.mark.parametrize("missing", [1, MIB, BASE_MEMORY + LANE_MEMORY, 10 * BASE_MEMORY])
def test_memory_for_no_lane_is_refused_with_both_sizes(
    monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    needed, available = BASE_MEMORY + LANE_MEMORY, BASE_MEMORY + LANE_MEMORY - missing
    surround(monkeypatch, available)
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget()
    assert str(caught.value) == (
        f"one lane needs {-(-needed // MIB)} MiB of memory, "
        f"but {SOURCE} leaves {max(0, available) // MIB} MiB"
    )
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH
    assert caught.value.hint == (
        f"give it at least {-(-needed // MIB)} MiB: a larger limit, or --memory"
    )


@pytest.mark.parametrize("file_system", ["overlay", "other"])
def test_what_else_holds_inodes_needs_more(file_system: FileSystem) -> None:
    base = BASE_MEMORY + INODES[file_system]
    for memory, lanes in ((LANE_MEMORY, 1), (2 * LANE_MEMORY - 1, 1), (2 * LANE_MEMORY, 2)):
        budget = decide_budget(base + memory, 2, file_system=file_system)
        assert (budget.lanes, budget.has_batches) == (lanes, False)
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(base + LANE_MEMORY - 1, file_system=file_system)
    assert caught.value.needed == base + LANE_MEMORY


def test_each_lane_holds_what_a_journal_has_not_committed() -> None:
    lane = LANE_MEMORY + JOURNAL_MEMORY
    for memory, lanes in ((lane, 1), (2 * lane - 1, 1), (2 * lane, 2)):
        assert decide_budget(BASE_MEMORY + memory, 2, has_journal=True).lanes == lanes
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(BASE_MEMORY + lane - 1, has_journal=True)
    assert caught.value.needed == BASE_MEMORY + lane


def test_what_is_needed_never_reads_as_what_there_is() -> None:
    error = BudgetTooSmall(28 * MIB, 28 * MIB - 1, "--memory")
    assert str(error) == "one lane needs 28 MiB of memory, but --memory leaves 27 MiB"


@pytest.mark.parametrize(
    ("memory", "lanes", "window"),
    [
        pytest.param(24 * MIB, 1, 6 * MIB, id="the smallest"),
        pytest.param(32 * MIB, 2, 4 * MIB, id="a window is never smaller"),
        pytest.param(64 * MIB, 2, 8 * MIB, id="a quarter, over all lanes"),
        pytest.param(64 * MIB, 4, 4 * MIB, id="more lanes have smaller ones"),
        pytest.param(1 << 40, 2, 32 * MIB, id="beyond this nothing gets faster"),
    ],
)
def test_what_may_wait_for_the_disk_follows_from_the_budget(
    memory: int, lanes: int, window: int
) -> None:
    assert decide_budget(memory, lanes).window == window
    assert decide_budget(memory, lanes, "keep").window is None


def test_pages_are_dropped_without_a_limit_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surround(monkeypatch, None)
    assert decide_budget(None, 2, "auto").window is None
    assert decide_budget(None, 2, "drop").window == LARGEST_WINDOW


@pytest.mark.parametrize(
    ("memory", "programs", "lanes"),
    [
        pytest.param(32 * MIB, MIB // 2, 2, id="another container is charged for Python"),
        pytest.param(32 * MIB, 4 * MIB, 1, id="we are"),
        pytest.param(24 * MIB, 11 * MIB, 1, id="one lane reads its pages again"),
        pytest.param(40 * MIB, 5 * MIB, 2, id="room for both"),
    ],
)
def test_a_second_lane_needs_room_for_the_program_too(
    monkeypatch: pytest.MonkeyPatch, memory: int, programs: int, lanes: int
) -> None:
    surround(monkeypatch, memory, programs)
    assert decide_budget(lanes=2).lanes == lanes


def test_files_that_stay_in_memory_are_counted_before_lanes() -> None:
    assert decide_budget(BASE_MEMORY + 4 * LANE_MEMORY, 4, held=2 * LANE_MEMORY).lanes == 2
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(64 * MIB, held=100 * MIB)
    needed = (BASE_MEMORY + LANE_MEMORY) // MIB
    assert str(caught.value) == (
        f"one lane needs {needed} MiB of memory and the files on a tmpfs 100 MiB, "
        "but --memory leaves 64 MiB"
    )
    assert caught.value.hint == (
        f"give it at least {needed + 100} MiB: a larger limit, or --memory; or install onto a disk"
    )
