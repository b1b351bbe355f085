"""A row of the matrix for each build, with the runner that has the memory."""

from __future__ import annotations

import json

import pytest

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.engines import github_matrix
from planner.engines.work import Work
from schemas.errors import UsageError


def test_a_large_build_gets_a_large_runner() -> None:
    small, large = build_unit(), build_unit(record=build_record(demand={1: 8 << 30}))
    work = Work(units=[small, large], lock="pylock.toml", store="built")
    rows = json.loads(github_matrix.render(work))["include"]
    assert [row["runner"] for row in rows] == ["standard-x86_64", "large-x86_64"]
    assert rows[0] == {
        "build": "demo==1.0",
        "target": "cp312-manylinux_2_28_x86_64",
        "python": "3.12",
        "machine": "x86_64",
        "runner": "standard-x86_64",
        "memory": "512MiB",
        "key": small.key,
    }


def test_the_matrix_is_one_line_as_an_output_of_a_job_has_to_be() -> None:
    work = Work(units=[build_unit()], lock="pylock.toml", store="built")
    assert github_matrix.render(work).count("\n") == 1


def test_nothing_to_build_is_an_empty_matrix() -> None:
    assert github_matrix.render(Work(units=[], lock="x", store="y")) == '{"include": []}\n'


def test_more_jobs_than_github_takes_are_refused_with_the_way_out() -> None:
    units = [build_unit()] * 257
    with pytest.raises(UsageError, match="at most 256 jobs, and these are 257 builds") as caught:
        github_matrix.render(Work(units=units, lock="pylock.toml", store="built"))
    assert "--part 1/2" in caught.value.hint
    github_matrix.render(Work(units=units[1:], lock="pylock.toml", store="built"))
