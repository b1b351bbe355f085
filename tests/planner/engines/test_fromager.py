"""Measured builds become settings of fromager."""

from __future__ import annotations

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.engines import fromager
from planner.engines.work import Work
from schemas.builds import BuildFlags


def test_the_largest_demand_of_a_package_counts() -> None:
    flags = BuildFlags(environment={"MAX_JOBS": "1", "CFLAGS": '-DNAME="x y"'})
    units = [
        build_unit("my-demo", record=build_record(demand={1: size << 20}, flags=flags))
        for size in (100, 400, 200)
    ]
    text = fromager.render(Work(units=units, lock="pylock.toml", store="built"))
    assert text == (
        "---\n"
        "# overrides/settings/my_demo.yaml\n"
        "build_options:\n"
        "  cpu_cores_per_job: 1\n"
        "  memory_per_job_gb: 0.441\n"
        "env:\n"
        '  CFLAGS: "-DNAME=\\"x y\\""\n'
        '  MAX_JOBS: "1"\n'
    )


def test_what_was_never_measured_is_left_out() -> None:
    assert fromager.render(Work(units=[build_unit()], lock="pylock.toml", store="built")) == ""


def test_a_small_build_gets_the_least_that_fromager_takes() -> None:
    unit = build_unit(record=build_record(demand={1: 1 << 20}))
    text = fromager.render(Work(units=[unit], lock="pylock.toml", store="built"))
    assert "memory_per_job_gb: 0.100" in text
