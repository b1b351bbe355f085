"""Messages go to standard error, results to standard output."""

from __future__ import annotations

import pytest

from planner.cli.console import ConsoleReporter
from schemas.builds import BuildRecord


def err(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_a_warning_is_shown_even_if_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = ConsoleReporter(quiet=True)
    reporter.yanked("a-1-py3-none-any.whl", "broken")
    reporter.yanked("b-1-py3-none-any.whl", "")
    reporter.unknown_extra("a", "1", "x")
    reporter.project_status("a", "archived", "")
    reporter.newer_api("index", "1.9")
    assert err(capsys).splitlines() == [
        "warning: a-1-py3-none-any.whl is yanked: broken",
        "warning: b-1-py3-none-any.whl is yanked",
        "warning: a 1 has no extra 'x'",
        "warning: the project a is archived",
        "warning: index speaks version 1.9 of its API, newer than what is known here",
    ]


def test_what_merely_happens_is_not_shown_if_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet, shown in (
        (False, "passed over a 2: why\nbuilding a.tar.gz (metadata)\n"),
        (True, ""),
    ):
        reporter = ConsoleReporter(quiet=quiet)
        reporter.passed_over("a", "2", "why")
        reporter.building("a.tar.gz", "metadata")
        assert err(capsys) == shown


def test_many_places_are_shown_in_part(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleReporter(quiet=True).collision("a.whl", "b.whl", ["1", "2", "3", "4", "5"])
    assert "lost: 1, 2, 3 and 2 more" in err(capsys)


def test_differences_of_two_wheels_are_shown_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleReporter(quiet=True).inconsistent("a.whl", "b.whl", ["x"], [])
    assert err(capsys) == (
        "warning: wheels of one release require different things: only a.whl requires x\n"
    )


def test_a_build_is_shown_with_its_peaks(capsys: pytest.CaptureFixture[str]) -> None:
    record = BuildRecord.__new__(BuildRecord)
    for key, value in {
        "wheel": "a.whl",
        "demand": {2: 3 << 20, 1: 2 << 20},
        "seconds": 1.0,
    }.items():
        object.__setattr__(record, key, value)
    ConsoleReporter(quiet=False).built("a.tar.gz", record)
    assert err(capsys) == "built a.whl: 2.0 MiB at 1 job, 3.0 MiB at 2 jobs, 1.0 s\n"
