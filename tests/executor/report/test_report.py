"""Report: what was done, for a person and for a program."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from executor.report.report import Report
from executor.report.timing import Timing

FIGURES: dict[str, Any] = {
    "environment": "/app/.venv",
    "target": "CPython 3.12.1 on manylinux_2_28_x86_64",
    "installed": 3,
    "removed": 0,
    "unchanged": 0,
    "files": 120,
    "bytes_fetched": 3 << 20,
    "bytes_installed": 10 << 20,
    "verified_record": True,
    "startup": ["demo-1.0-py3-none-any.whl: demo.pth"],
    "warnings": [],
    "seconds": 1.25,
    "inflater": "zlib",
    "spent": Timing(network=0.5, writing=0.3, unpacking=1.2, committing=0.24),
    "lanes": 2,
    "budget": 64 << 20,
    "budget_source": "--memory",
    "rss_peak": 30 << 20,
    "charged_peak": 48 << 20,
    "charged_before": 3 << 20,
    "is_sampled": False,
    "is_confined": False,
    "builds": [],
    "packages": [],
}


def lines(**figures: Any) -> list[str]:
    return list(Report(**{**FIGURES, **figures}).lines())


def test_a_person_reads_what_was_done_and_what_it_took() -> None:
    assert lines() == [
        "installed 3 packages into /app/.venv",
        "  120 files, 10.0 MiB from 3.0 MiB fetched, in 1.2 s",
        (
            "  time: 25% waiting for the network, 15% writing, 60% unpacking (zlib); "
            "then 0.2 s to commit"
        ),
        "  memory: peak RSS 30.0 MiB, charged 48.0 MiB",
        "  budget: 64.0 MiB (--memory), 2 lanes",
    ]


@pytest.mark.parametrize(
    ("figures", "ends_with"),
    [
        ({}, "unpacked"),
        ({"budget_source": "/proc/meminfo"}, "unpacked"),
        ({"is_confined": True}, "charged 900.0 MiB (500.0 MiB before) of 64.0 MiB"),
        (
            {"budget_source": "/sys/fs/cgroup/memory.max"},
            "charged 900.0 MiB (500.0 MiB before) of 64.0 MiB",
        ),
    ],
)
def test_what_others_are_charged_is_not_compared_with_a_limit_of_the_run(
    figures: dict[str, Any], ends_with: str
) -> None:
    shared = {"charged_peak": 900 << 20, "charged_before": 500 << 20}
    [line] = Report(**{**FIGURES, **shared, **figures}).summary()
    assert line.endswith(ends_with)


def test_one_line_says_the_most() -> None:
    assert list(Report(**FIGURES).summary()) == [
        (
            "installed 3 packages into /app/.venv in 1.2 s: 3.0 MiB fetched, 10.0 MiB unpacked, "
            "charged 48.0 MiB of 64.0 MiB"
        )
    ]
    # What the group is charged is nothing that a limit of the process bounds.
    of_process = Report(**{**FIGURES, "budget_source": "RLIMIT_AS", "charged_peak": 900 << 20})
    assert [line.endswith("10.0 MiB unpacked") for line in of_process.summary()] == [True]
    unlimited = Report(**{**FIGURES, "budget": None, "verified_record": False})
    assert list(unlimited.summary()) == [
        "installed 3 packages into /app/.venv in 1.2 s: 3.0 MiB fetched, 10.0 MiB unpacked",
        "  files not held to RECORD (--no-verify-record)",
    ]


def test_what_was_left_unchecked_is_told() -> None:
    assert lines(verified_record=False)[2] == "  files not held to RECORD (--no-verify-record)"


@pytest.mark.parametrize(
    ("figures", "line"),
    [
        ({"unchanged": 4}, "installed 3 packages, 4 unchanged into /app/.venv"),
        ({"removed": 1}, "installed 3 packages, 1 removed into /app/.venv"),
        (
            {"removed": 1, "unchanged": 4},
            "installed 3 packages, 1 removed, 4 unchanged into /app/.venv",
        ),
        ({"spent": Timing(), "charged_peak": None}, "  memory: peak RSS 30.0 MiB"),
        (
            {"is_sampled": True, "charged_before": 40 << 20},
            "  memory: peak RSS 30.0 MiB, charged at least 48.0 MiB (40.0 MiB before)",
        ),
        (
            {"budget": None, "budget_source": "no limit"},
            "  budget: none (no limit), 2 lanes",
        ),
    ],
)
def test_what_there_is_not_is_left_out(figures: dict[str, Any], line: str) -> None:
    assert line in lines(**figures)


def test_a_program_reads_the_same_figures() -> None:
    table = json.loads(json.dumps(Report(**FIGURES).to_json()))
    assert table == FIGURES | {"format": 1} | {"spent": asdict(FIGURES["spent"])}
