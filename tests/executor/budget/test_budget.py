"""There are as many lanes as memory allows, and an execution that does not fit is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from executor.budget import budget as budget_module
from executor.budget.budget import (
    COMPILER_DATA,
    COMPILER_MEMORY,
    INODES,
    LARGEST_WINDOW,
    MAX_LANES,
    READING_MEMORY,
    Budget,
    Surface,
    check_least,
    decide_budget,
)
from executor.budget.errors import BudgetTooSmall
from executor.budget.memory import Limit
from executor.budget.processors import usable_processors
from executor.files.mounts import FileSystem
from schemas.demand import (
    BASE_MEMORY,
    JOURNAL_MEMORY,
    LANE_MEMORY,
    NO_BYTE_CODE,
    OVERLAY_MEMORY,
    TLS_MEMORY,
)
from schemas.errors import ExitCode

MIB = 1 << 20
SOURCE = "/sys/fs/cgroup/memory.max"


@pytest.fixture(autouse=True)
def byte_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python finds byte code, however these tests are run."""
    monkeypatch.setattr(budget_module, "has_byte_code", lambda: True)


def surround(
    monkeypatch: pytest.MonkeyPatch, available: int | None, programs: int = 0, others: int = 0
) -> None:
    """Let the process stand in a cgroup that leaves so many bytes, and is charged for its program
    with so many of them.
    """
    limit = None if available is None else Limit(available, SOURCE, programs, others)

    def smallest(named: int | None = None) -> Limit | None:
        found = [limit, None if named is None else Limit(named, "--memory")]
        return min(filter(None, found), key=lambda one: one.available, default=None)

    monkeypatch.setattr(budget_module, "smallest_limit", smallest)
    monkeypatch.setattr(budget_module, "physical_limit", lambda: Limit(1 << 40, "/proc/meminfo"))


@pytest.mark.parametrize("lanes", [2, 3, 8, 16])
def test_memory_for_some_lanes_is_spent_on_as_many(lanes: int) -> None:
    needed = BASE_MEMORY + lanes * LANE_MEMORY
    assert decide_budget(needed, 20).lanes == lanes
    budget = decide_budget(needed - 1, 20)
    assert (budget.lanes, budget.next_lane) == (lanes - 1, needed)


@pytest.mark.parametrize(("lanes", "killed"), [(2, 30), (3, 40), (4, 48)])
def test_as_many_lanes_as_were_killed_in_a_limit_never_begin_in_it(lanes: int, killed: int) -> None:
    """Over TLS, as most are."""
    assert decide_budget(killed * MIB, 20, surface=Surface(is_secured=True)).lanes < lanes


def test_what_is_named_before_the_lock_is_read_is_enough_over_tls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surface = Surface("overlay", has_journal=True)
    surround(monkeypatch, 20 * MIB)
    with pytest.raises(BudgetTooSmall) as caught:
        check_least(None, surface)
    surround(monkeypatch, caught.value.needed)
    assert decide_budget(surface=replace(surface, is_secured=True)).lanes == 1


def test_each_lane_holds_what_its_connections_over_tls_need() -> None:
    lane = LANE_MEMORY + TLS_MEMORY
    for memory, lanes in ((2 * lane - 1, 1), (2 * lane, 2), (3 * lane, 3)):
        surface = Surface(is_secured=True)
        assert decide_budget(BASE_MEMORY + memory, 3, surface=surface).lanes == lanes


@pytest.mark.parametrize("window", [1, 2, 8])
def test_what_is_enough_for_one_lane_and_a_window_allows_that_window(window: int) -> None:
    surface = Surface("overlay", has_journal=True, held=7 * MIB)
    tight = decide_budget(64 * MIB, 4, surface=surface).history
    assert tight is not None
    enough = decide_budget(tight.besides + window * MIB, 1, surface=surface)
    assert enough.history == (window * MIB, tight.besides)


def test_a_window_takes_what_no_lane_needs_and_at_least_a_mebibyte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for beyond, most in ((0, 1), (6, 1), (10, 3)):
        memory = BASE_MEMORY + 2 * LANE_MEMORY + beyond * MIB
        history = decide_budget(memory, 2).history
        assert history is not None
        assert history.most == most * MIB
    surround(monkeypatch, None)
    assert decide_budget().history is None


def test_more_lanes_than_are_useful_are_made_only_on_demand() -> None:
    default = decide_budget(1 << 40)
    assert default.lanes == min(MAX_LANES, usable_processors())
    assert decide_budget(1 << 40, 7).lanes == 7


def test_what_memory_allows_goes_before_what_is_asked_for() -> None:
    assert decide_budget(28 * MIB, 7) == Budget(28 * MIB, "--memory", 1, 7 * MIB)


@pytest.mark.parametrize(
    ("available", "source"),
    [(64 * MIB - 1, SOURCE), (64 * MIB + 1, "--memory"), (None, "--memory")],
)
def test_a_budget_that_is_named_lowers_the_limit_and_never_raises_it(
    monkeypatch: pytest.MonkeyPatch, available: int | None, source: str
) -> None:
    surround(monkeypatch, available)
    budget = decide_budget(64 * MIB)
    assert budget.source == source
    assert budget.memory == min(available or 1 << 40, 64 * MIB)


def test_scarce_physical_memory_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch, None)
    monkeypatch.setattr(budget_module, "physical_limit", lambda: Limit(100 * MIB, "/proc/meminfo"))
    assert decide_budget().memory == 100 * MIB
    monkeypatch.setattr(budget_module, "physical_limit", lambda: Limit(9 * MIB, "/proc/meminfo"))
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget()
    assert caught.value.hint == "give it at least 26 MiB: free memory of the machine"


def test_both_limits_are_named_if_both_are_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch, 20 * MIB, others=7 * MIB)
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(10 * MIB)
    assert caught.value.hint == (
        "give it at least 34 MiB: a larger limit, and at least 26 MiB with --memory"
    )


def test_what_others_hold_is_added_to_the_limit_that_is_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surround(monkeypatch, 20 * MIB, others=7 * MIB)
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget()
    assert caught.value.hint == "give it at least 34 MiB: a larger limit"


def test_byte_code_needs_memory_of_its_own() -> None:
    needed = COMPILER_MEMORY + COMPILER_DATA
    surface = Surface(compiles=True, held=10 * MIB)
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(needed + 10 * MIB - 1, surface=surface)
    assert str(caught.value).startswith("making byte code needs 48 MiB of memory and the files")
    assert caught.value.hint.endswith("or leave --compile out")
    assert decide_budget(needed + 10 * MIB, surface=surface).compiler_data == COMPILER_DATA
    assert (
        decide_budget(needed + 60 * MIB, surface=surface).compiler_data == COMPILER_DATA + 50 * MIB
    )
    assert decide_budget(needed).compiler_data is None


def test_a_python_without_byte_code_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget_module, "has_byte_code", lambda: False)
    with pytest.raises(BudgetTooSmall):
        decide_budget(READING_MEMORY + NO_BYTE_CODE - 1)
    assert decide_budget(READING_MEMORY + NO_BYTE_CODE).lanes == 1
    two = BASE_MEMORY + 2 * LANE_MEMORY + NO_BYTE_CODE
    assert [decide_budget(memory, 2).lanes for memory in (two - 1, two)] == [1, 2]


def test_the_least_is_checked_before_the_lock_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch, READING_MEMORY)
    check_least(None, Surface())
    with pytest.raises(BudgetTooSmall):
        check_least(None, Surface("other"))
    with pytest.raises(BudgetTooSmall):
        check_least(1, Surface())
    surround(monkeypatch, None)
    check_least(None, Surface())


def test_without_a_budget_the_surroundings_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch, 28 * MIB)
    assert decide_budget() == Budget(28 * MIB, SOURCE, 1, 7 * MIB)


def test_without_any_limit_nothing_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    surround(monkeypatch, None)
    assert decide_budget(lanes=3) == Budget(None, "no limit", 3, None)


@pytest.mark.parametrize("missing", [1, MIB, READING_MEMORY, 10 * BASE_MEMORY])
def test_memory_for_no_lane_is_refused_with_both_sizes(
    monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    needed, available = READING_MEMORY, READING_MEMORY - missing
    surround(monkeypatch, available)
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget()
    assert str(caught.value) == (
        f"one lane needs {-(-needed // MIB)} MiB of memory, "
        f"but {SOURCE} leaves {max(0, available) // MIB} MiB"
    )
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH
    assert caught.value.hint == (f"give it at least {-(-needed // MIB)} MiB: a larger limit")


@pytest.mark.parametrize("file_system", ["overlay", "other"])
def test_what_else_holds_inodes_needs_more(file_system: FileSystem) -> None:
    base = BASE_MEMORY + INODES[file_system]
    for memory, lanes in ((LANE_MEMORY, 1), (2 * LANE_MEMORY - 1, 1), (2 * LANE_MEMORY, 2)):
        budget = decide_budget(base + memory, 2, surface=Surface(file_system))
        assert (budget.lanes, budget.has_batches) == (lanes, False)
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(base + LANE_MEMORY - 1, surface=Surface(file_system))
    assert caught.value.needed == base + LANE_MEMORY


def test_each_lane_holds_what_a_journal_has_not_committed() -> None:
    lane, base = LANE_MEMORY + JOURNAL_MEMORY, BASE_MEMORY + OVERLAY_MEMORY
    surface = Surface("overlay", has_journal=True)
    for memory, lanes in ((lane, 1), (2 * lane - 1, 1), (2 * lane, 2)):
        assert decide_budget(base + memory, 2, surface=surface).lanes == lanes
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(base + lane - 1, surface=surface)
    assert caught.value.needed == base + lane


def test_what_is_needed_never_reads_as_what_there_is() -> None:
    error = BudgetTooSmall(28 * MIB, Limit(28 * MIB - 1, "--memory"))
    assert str(error) == "one lane needs 28 MiB of memory, but --memory leaves 27 MiB"


@pytest.mark.parametrize(
    ("memory", "lanes", "window"),
    [
        pytest.param(26 * MIB, 1, 26 * MIB // 4, id="the smallest"),
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
        pytest.param(33 * MIB, MIB // 2, 2, id="another container is charged for Python"),
        pytest.param(33 * MIB, 4 * MIB, 1, id="we are"),
        pytest.param(26 * MIB, 11 * MIB, 1, id="one lane reads its pages again"),
        pytest.param(41 * MIB, 5 * MIB, 2, id="room for both"),
    ],
)
def test_a_second_lane_needs_room_for_the_program_too(
    monkeypatch: pytest.MonkeyPatch, memory: int, programs: int, lanes: int
) -> None:
    surround(monkeypatch, memory, programs)
    assert decide_budget(lanes=2).lanes == lanes


def test_files_that_stay_in_memory_are_counted_before_lanes() -> None:
    assert (
        decide_budget(BASE_MEMORY + 4 * LANE_MEMORY, 4, surface=Surface(held=2 * LANE_MEMORY)).lanes
        == 2
    )
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(64 * MIB, surface=Surface(held=100 * MIB))
    needed = READING_MEMORY // MIB
    assert str(caught.value) == (
        f"one lane needs {needed} MiB of memory and the files on a tmpfs 100 MiB, "
        "but --memory leaves 64 MiB"
    )
    assert caught.value.hint == (
        f"give it at least {needed + 100} MiB with --memory; or install onto a disk"
    )


def test_before_the_lock_is_read_a_refusal_names_what_byte_code_takes_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surround(monkeypatch, READING_MEMORY - 1)
    with pytest.raises(BudgetTooSmall, match="making byte code needs 48 MiB"):
        check_least(None, Surface(compiles=True))
    # There may be nothing to install.
    surround(monkeypatch, READING_MEMORY)
    check_least(None, Surface(compiles=True))


def test_before_the_lock_is_read_the_files_on_a_tmpfs_are_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    surround(monkeypatch, READING_MEMORY - 1)
    with pytest.raises(BudgetTooSmall) as caught:
        check_least(None, Surface(is_memory=True))
    assert caught.value.hint == (
        "install onto a disk, or give it 26 MiB and what the files on the tmpfs take"
    )


def test_files_that_are_memory_may_take_what_the_lanes_leave() -> None:
    on_disk = decide_budget(64 * MIB, 2)
    assert on_disk.files is None
    surface = Surface(is_memory=True, held=20 * MIB)
    two = decide_budget(64 * MIB, 2, surface=surface)
    assert two.files == 64 * MIB - BASE_MEMORY - 2 * LANE_MEMORY - MIB
    compiled = decide_budget(128 * MIB, 2, surface=replace(surface, compiles=True))
    assert compiled.files == 128 * MIB - COMPILER_MEMORY - COMPILER_DATA - MIB
    assert decide_budget(surface=surface).files is None


def test_files_of_guessed_sizes_are_written_by_one_lane() -> None:
    surface = Surface(is_memory=True, held=20 * MIB, is_guessed=True)
    assert decide_budget(200 * MIB, 2, surface=surface).lanes == 1
    assert decide_budget(200 * MIB, 2, surface=replace(surface, is_memory=False)).lanes == 2


def test_what_was_counted_has_to_fit_with_all_lanes() -> None:
    surface = Surface(is_memory=True, held=100 * MIB, is_counted=True)
    with pytest.raises(BudgetTooSmall) as caught:
        decide_budget(100 * MIB, 2, surface=surface)
    assert str(caught.value).startswith("2 lanes need 30 MiB of memory and the files")
    again = decide_budget(130 * MIB, 2, surface=replace(surface, held=90 * MIB, is_counted=False))
    assert again.files is not None
    assert again.files >= 97 * MIB


@pytest.mark.parametrize(("free", "lanes"), [(None, 4), (2, 3), (0, 1)])
def test_there_are_no_more_lanes_than_processes_can_be_made(
    monkeypatch: pytest.MonkeyPatch, free: int | None, lanes: int
) -> None:
    monkeypatch.setattr(budget_module, "free_processes", lambda: free)
    assert decide_budget(200 * MIB, 4).lanes == lanes


@pytest.mark.parametrize(
    ("memory", "lanes", "is_roomy"),
    [(None, 8, True), (128 * MIB, 2, True), (127 * MIB, 2, False), (64 * MIB, 1, True)],
)
def test_each_lane_needs_64_mib_to_hold_what_only_saves_time(
    memory: int | None, lanes: int, is_roomy: bool
) -> None:
    assert Budget(memory, SOURCE, lanes, None).is_roomy is is_roomy
