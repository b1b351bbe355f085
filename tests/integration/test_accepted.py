"""What is accepted in a small container is never killed there, and what is named as enough is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.servers import Server
from stress.accepted import Combination, can_limit, problem, tried, write_locks

pytestmark = pytest.mark.skipif(
    not can_limit() or shutil.which("mkfs.ext4") is None,
    reason="needs root, mkfs.ext4 and memory control groups of version 1",
)

CASES = [
    Combination(0, 26, "disk", "none", "mixed", (), True),
    Combination(1, 24, "ext4 with a journal", "none", "small files", (), True),
    Combination(2, 30, "tmpfs", "none", "many files", (), True),
    Combination(3, 30, "overlay over tmpfs", "none", "small files", (), True),
    Combination(4, 40, "disk", "pipes", "small files", (), True),
    Combination(5, 36, "disk", "none", "small files", ("--compile",), True),
    Combination(7, 48, "overlay over tmpfs", "none", "many files", ("--no-hints",), True),
    Combination(8, 34, "disk", "none", "over TLS", ("--lanes", "2"), True),
    Combination(9, 48, "ext4 with a journal", "none", "over TLS", ("--lanes", "4"), True),
    Combination(6, 28, "disk", "none", "small files", ("--memory", "512MiB"), False),
]


@pytest.fixture(scope="module")
def locks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("locks")
    with Server(tls=True) as server:
        write_locks(folder, server)
        yield folder


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_done_or_refused_and_what_is_named_is_enough(case: Combination, locks: Path) -> None:
    end, wrong = problem(case, locks)
    assert (end, wrong) in {("done", ""), ("refused", "")}


@pytest.mark.parametrize(
    ("limit", "has_byte_code"),
    [*((limit, True) for limit in (8, 12, 16, 18, 20, 24)), (8, False), (9, False), (20, False)],
)
def test_below_the_least_there_is_a_sentence(limit: int, has_byte_code: bool, locks: Path) -> None:
    case = Combination(0, limit, "disk", "none", "small files", (), has_byte_code)
    outcome = tried(case, locks)
    assert (outcome.status, outcome.kills) == (7, 0)
    assert outcome.output.startswith("error: ")
    assert "\nhint: " in outcome.output


def test_sizes_that_are_not_known_are_counted_before_a_refusal_names_them(locks: Path) -> None:
    # Guessed from the wheel, 24 MiB of data that cannot be compressed would be seven times as much.
    case = Combination(0, 120, "tmpfs", "none", "large file", ("--no-hints",), True)
    outcome = tried(case, locks)
    assert (outcome.status, outcome.kills) == (0, 0), outcome.output
