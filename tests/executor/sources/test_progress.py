"""Only what is of use counts as progress, and what is around it has a limit."""

from __future__ import annotations

import pytest

from executor.sources.progress import Progress
from executor.sources.retries import Pace

KB = 1000


@pytest.fixture(name="progress")
def _progress() -> Progress:
    return Progress(Pace(deadline=1e9, idle=15))


def arrive(progress: Progress, seconds: int, rate: int, *, useful: float = 0.0) -> None:
    for second in range(seconds):
        progress.add(rate, 1.0, float(second))
        progress.used(int(rate * useful))


def test_a_body_in_time_is_right(progress: Progress) -> None:
    progress.begin_body()
    arrive(progress, 600, 2 * KB, useful=1)
    assert not progress.problem


def test_chunks_of_one_byte_are_right(progress: Progress) -> None:
    progress.begin_body()
    arrive(progress, 600, 6 * KB, useful=1 / 6)
    assert not progress.problem


@pytest.mark.parametrize("rate", [100, 1 * KB, 2 * KB])
def test_bytes_of_no_use_are_silence(progress: Progress, rate: int) -> None:
    progress.begin_body()
    arrive(progress, 60, rate)
    assert progress.problem == "it sends fewer than 1000 bytes a second"
    assert not progress.is_beyond_measure


def test_more_around_the_file_than_of_it_ends_at_once(progress: Progress) -> None:
    progress.begin_body()
    arrive(progress, 2, 1000 * KB)
    assert progress.problem == "it sends more around the file than of it"
    assert progress.is_beyond_measure


@pytest.mark.parametrize(("rate", "seconds"), [(100, 30), (1 * KB, 60), (2 * KB, 60)])
def test_a_head_without_end_is_silence_too(progress: Progress, rate: int, seconds: int) -> None:
    arrive(progress, seconds, rate)
    assert progress.problem == "it sends fewer than 1000 bytes a second"


def test_a_fast_head_without_end_ends_at_once(progress: Progress) -> None:
    arrive(progress, 2, 1000 * KB)
    assert progress.problem == "the head of its response does not end"
    assert progress.is_beyond_measure


def test_the_deadline_is_named_in_its_unit() -> None:
    for total, name in ((600.0, "10 minutes"), (4 * 3600.0, "4 hours")):
        progress = Progress(Pace(100.0, 15, total))
        progress.begin_body()
        progress.add(10**6, 1.0, 101.0)
        assert progress.problem == f"it has taken more than {name}"
