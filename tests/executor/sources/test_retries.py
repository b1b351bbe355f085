"""Slow attempts are ended, and a server that wastes more time than it serves is given up.

The time that the client itself takes does not count.
"""

from __future__ import annotations

import pytest

from executor.sources import retries as retries_module
from executor.sources.retries import (
    IDLE_SECONDS,
    MAX_REQUESTED_SECONDS,
    Pace,
    Retries,
    Timeouts,
    requested_pause,
)

DAY = 24 * 3600.0


def pace_of(*seconds_and_sizes: tuple[float, int], idle: float = IDLE_SECONDS) -> Pace:
    pace = Pace(DAY, idle)
    for waited, size in seconds_and_sizes:
        pace.add(size, waited, 0.0)
    return pace


class TestPace:
    def test_a_fast_body_may_stall_now_and_then(self) -> None:
        pace = pace_of(*[(1.0, 2000)] * 100)
        assert not pace.is_slow
        assert not pace.problem

    def test_a_slow_body_is_given_up_at_the_second_look(self) -> None:
        slow = [(1.0, 1_000_000), *[(1.0, 100)] * 19]
        assert not pace_of(*slow).problem
        assert pace_of(*slow, (21.0, 100)).problem == "it sends fewer than 1000 bytes a second"

    def test_it_is_looked_at_sooner_where_less_silence_is_waited_for(self) -> None:
        assert not pace_of((1.3, 5), idle=IDLE_SECONDS / 4).problem
        assert pace_of((5.0, 5), idle=IDLE_SECONDS / 4).problem

    def test_time_that_we_take_ourselves_does_not_count(self) -> None:
        pace = Pace(DAY, IDLE_SECONDS)
        for hour in range(4):
            pace.add(100, 0.01, 3600.0 * hour)
        assert not pace.is_slow
        assert not pace.problem

    def test_an_attempt_that_only_waits_is_slow(self) -> None:
        pace = pace_of((0.1, 1000))
        assert not pace.is_slow
        pace.add(0, 15.0, 15.1)
        assert pace.is_slow

    def test_no_file_takes_for_ever(self) -> None:
        found = []
        for late in (0.0, 1.0):
            pace = Pace(4 * 3600.0, IDLE_SECONDS)
            pace.add(1 << 30, 1.0, 4 * 3600.0 + late)
            found.append(pace.problem)
        assert found == ["", "it has taken more than 4 hours"]

    def test_what_is_lost_is_the_silence_at_the_end_of_a_fast_attempt(self) -> None:
        assert pace_of((1.0, 1 << 20), (0.0, 0), (7.0, 0)).lost == 7.0
        assert pace_of((1.0, 100), (7.0, 0)).lost == 8.0
        assert pace_of((1.0, 1 << 20)).lost == 0.0


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("Sunday, 06-Nov-94 08:49:47 GMT", 10.0),
        ("Sun Nov  6 08:49:47 1994", 10.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:27 GMT", None),
        ("Sun, 99 Xyz 1994 99:99:99 GMT", None),
        ("Sun, 06 Nov 99999999999 08:49:47", None),
        ("Sun, 06 Nov 1994 08:49:47 GMT" + " " * 60_000, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("\u00b2", None),
        ("9" * 5000, None),
    ],
)
def test_a_server_requests_a_pause_in_seconds_or_up_to_a_moment(
    monkeypatch: pytest.MonkeyPatch, stated: str, seconds: float | None
) -> None:
    monkeypatch.setattr("executor.sources.retries.time.time", lambda: 784111777.0)
    assert requested_pause(stated) == seconds


@pytest.fixture(name="now")
def _now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of the clock of retries."""
    now = [0.0]
    monkeypatch.setattr(retries_module, "clock", lambda: now[0])
    return now


@pytest.fixture(name="timeouts")
def _timeouts(now: list[float]) -> Timeouts:
    assert now == [0.0]
    return Timeouts()


class Files:
    """Files of a server that stalls: what one of them costs, and whether it is given up."""

    def __init__(self, timeouts: Timeouts, now: list[float]) -> None:
        self.timeouts = timeouts
        self.now = now

    def attempt(self, retries: Retries, *waits: tuple[float, int], brings: bool) -> bool:
        """Whether the file goes on after an attempt that fails in silence."""
        pace = retries.begin()
        for waited, size in (*waits, (pace.idle, 0)):
            pace.add(size, waited, 0.0)
            self.now[0] += waited
        return retries.fail(has_brought=brings)

    def succeed(self, retries: Retries, wait: float = 0.01) -> None:
        retries.begin().add(1 << 20, wait, 0.0)
        self.now[0] += wait
        retries.succeed()


@pytest.fixture(name="files")
def _files(timeouts: Timeouts, now: list[float]) -> Files:
    return Files(timeouts, now)


class TestServers:
    @pytest.mark.parametrize("brings", [True, False], ids=["in the middle", "at once"])
    def test_twenty_files_that_stall_once_each_take_less_than_a_minute(
        self, files: Files, brings: bool
    ) -> None:
        waits = []
        for _ in range(20):
            retries = Retries(files.timeouts)
            waits.append(files.timeouts.idle(0))
            started = [(0.0, 500)] if brings else []
            assert files.attempt(retries, *started, brings=brings)
            files.succeed(retries)
        assert waits[:4] == [15.0, 3.75, 1.0, 1.0]
        assert files.now[0] < 40

    def test_one_that_is_slow_to_answer_is_waited_for_longer_again(self, files: Files) -> None:
        for _ in range(3):
            retries = Retries(files.timeouts)
            files.attempt(retries, brings=False)
            files.succeed(retries)
        assert files.timeouts.idle(0) == 1.0
        retries = Retries(files.timeouts)
        assert files.attempt(retries, brings=False)  # 1 second
        assert files.attempt(retries, brings=False)  # 2 seconds
        files.succeed(retries, 3.0)
        assert files.timeouts.idle(0) == 6.0

    def test_silence_that_has_ended_with_bytes_is_never_cut_short(self, files: Files) -> None:
        files.succeed(Retries(files.timeouts), 5.0)
        for _ in range(5):
            retries = Retries(files.timeouts)
            files.attempt(retries, brings=False)
            files.succeed(retries)
        assert files.timeouts.idle(0) == 10.0

    def test_one_that_never_answers_is_given_up_within_a_minute(self, files: Files) -> None:
        retries = Retries(files.timeouts)
        while files.attempt(retries, brings=False):
            pass
        assert retries.in_a_row == 3
        assert files.now[0] == 45.0

    def test_one_that_drips_is_given_up_within_a_minute(self, files: Files) -> None:
        retries = Retries(files.timeouts)
        while files.attempt(retries, *[(0.5, 1)] * 20, brings=True):
            pass
        assert files.now[0] < 60

    def test_one_that_hangs_again_and_again_is_given_up_within_a_minute(self, files: Files) -> None:
        retries = Retries(files.timeouts)
        while files.attempt(retries, (0.0, 1 << 20), brings=True):
            pass
        assert files.now[0] < 60
        assert files.timeouts.is_over

    def test_one_that_has_served_long_is_forgiven_more(self, files: Files) -> None:
        files.now[0] = 3600.0
        retries = Retries(files.timeouts)
        for _ in range(100):
            assert files.attempt(retries, (0.0, 1 << 20), brings=True)

    def test_one_that_was_given_up_is_asked_again_when_time_has_passed(self, files: Files) -> None:
        retries = Retries(files.timeouts)
        while files.attempt(retries, brings=False):
            pass
        files.timeouts.lose(1.0)
        assert files.timeouts.is_over
        files.now[0] = 93.0
        assert not files.timeouts.is_over

    def test_a_file_is_given_up_if_pauses_become_too_long(self, files: Files) -> None:
        for asked, goes_on in [(MAX_REQUESTED_SECONDS, True), (MAX_REQUESTED_SECONDS + 1, False)]:
            retries = Retries(files.timeouts)
            retries.begin()
            assert retries.fail(has_brought=False, requested=asked) is goes_on
            retries.begin()
            assert not retries.fail(has_brought=False, requested=1.0)

    def test_pauses_count_but_those_that_it_asks_for(self, files: Files) -> None:
        for _ in range(400):
            retries = Retries(files.timeouts)
            retries.begin()
            retries.fail(has_brought=False)
            assert retries.pause(2.0) == 2.0
        assert not files.timeouts.is_over
        for _ in range(400):
            assert 0.125 <= retries.pause(None) <= 0.25
        assert files.timeouts.is_over
