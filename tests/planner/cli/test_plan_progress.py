"""What a plan is at is told by its events."""

from __future__ import annotations

import threading
from unittest import mock

import pytest

from planner.cli.plan_progress import PlanProgress

MIB = 1 << 20


def test_what_was_done_is_counted() -> None:
    progress = PlanProgress()
    assert progress.summary() == "0 requests, 0.0 MiB"
    for _ in range(2):
        progress.hear("requesting", {"url": "https://pypi.example.com/simple/one/"})
        progress.hear("request", {"bytes": 3 * MIB})
    progress.hear("page", {"package": "one"})
    progress.hear("metadata", {"file": "one.whl"})
    assert progress.summary() == "2 requests, 6.0 MiB, 1 project, metadata of 1 file"


def test_the_longest_wait_is_named_first() -> None:
    progress = PlanProgress()

    def request(name: str) -> None:
        progress.hear("requesting", {"url": f"https://pypi.example.com/simple/{name}/"})

    with mock.patch("time.monotonic", return_value=100.0):
        request("slow")
    with mock.patch("time.monotonic", return_value=106.0):
        other = threading.Thread(target=request, args=("other",))
        other.start()
        other.join()
        assert progress.at_work() == [
            "waiting for pypi.example.com/simple/slow/ (6 s) and 1 more"
        ]  # fmt: skip
    progress.hear("request", {"bytes": 1})
    assert "slow" not in "".join(progress.at_work())


def test_a_pause_that_a_server_requests_is_named_with_its_reason() -> None:
    """A minute without a word looks like a hang."""
    progress = PlanProgress()
    url = "https://pypi.example.com/simple/busy/"
    progress.hear("requesting", {"url": url})
    progress.hear("request", {"bytes": 0})
    progress.hear("pausing", {"url": url, "problem": "the server answers 503", "seconds": 60.0})
    waiting = "waiting for pypi.example.com/simple/busy/, again in 60 s: the server answers 503"
    assert progress.at_work() == [waiting]
    progress.hear("requesting", {"url": url})
    progress.hear("request", {"bytes": 1})
    assert progress.at_work() == []


def test_a_build_is_at_work_until_its_step_has_ended() -> None:
    progress = PlanProgress()
    progress.hear("building", {"package": "one.tar.gz", "what": "metadata"})
    assert progress.at_work() == ["building one.tar.gz, metadata"]
    progress.hear("prepared", {"package": "one.tar.gz", "demand": None})
    assert progress.at_work() == []
    progress.hear("building", {"package": "one.tar.gz", "what": "measuring, jobs 1"})
    progress.hear("built", {"package": "one.tar.gz", "seconds": 1.0, "demand": 1})
    assert progress.at_work() == []


def test_the_memory_of_a_build_is_told_against_what_it_may_take() -> None:
    progress = PlanProgress()
    progress.hear("building", {"package": "one.tar.gz", "what": "measuring, jobs 1"})
    for size in (20, 1300, 700):
        held = {"package": "one.tar.gz", "bytes": size << 20, "limit": 2 << 30}
        progress.hear("held", held)
    assert progress.at_work() == [
        "building one.tar.gz, measuring, jobs 1",
        "it holds 700.0 MiB, at most 1,300.0 of 2,048.0 MiB",
    ]
    # The next run of the same build begins with nothing.
    progress.hear("prepared", {"package": "one.tar.gz", "demand": 1300 << 20})
    progress.hear("building", {"package": "one.tar.gz", "what": "measuring, jobs 1"})
    assert progress.at_work() == ["building one.tar.gz, measuring, jobs 1"]


def test_a_build_without_a_limit_may_take_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    free: list[int | None] = [1 << 30, None]
    monkeypatch.setattr("executor.available_memory", lambda: free.pop(0), raising=False)
    for end in ("at most 20.0 of 1,024.0 MiB", "at most 20.0 MiB"):
        progress = PlanProgress()
        progress.hear("building", {"package": "one.tar.gz", "what": "metadata"})
        progress.hear("held", {"package": "one.tar.gz", "bytes": 20 << 20, "limit": None})
        assert progress.at_work()[1:] == [f"it holds 20.0 MiB, {end}"]


def test_the_part_that_is_sized_is_known_while_files_are_sized() -> None:
    progress = PlanProgress()
    assert progress.sized_part is None
    progress.hear("sizing", {"files": 4})
    progress.hear("sized", {})
    assert progress.sized_part == 0.25
    assert progress.summary() == "1 of 4 wheels sized, 0 requests"
    progress.hear("sizes", {"files": 4})
    assert progress.sized_part is None


def test_an_event_that_shows_nothing_counts_for_nothing() -> None:
    progress = PlanProgress()
    progress.hear("warning", {"text": "odd"})
    assert progress.at_work() == []
