"""A row of the matrix for each build, with the runner that has the memory."""

from __future__ import annotations

import json

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.engines import github_matrix
from planner.engines.work import Work


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
