"""Measured builds become settings of fromager."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from helpers.build_records import build_record
from planner.engines import fromager
from planner.engines.work import Work
from schemas.builds import BuildFlags, BuildRecord


def rendered(*records: BuildRecord, name: str = "my-demo") -> str:
    measured = [(canonicalize_name(name), record) for record in records]
    return fromager.render(Work(units=(), lock="pylock.toml", store="built", measured=measured))


def test_the_largest_demand_of_a_package_counts() -> None:
    flags = BuildFlags(
        config_settings={"compile-args": ["-j1", "-v"]},
        environment={"MAX_JOBS": "1", "CFLAGS": '-DNAME="x y"'},
    )
    records = [build_record(demand={1: size << 20}, flags=flags) for size in (100, 400, 200)]
    assert rendered(*records) == (
        "---\n"
        "# overrides/settings/my_demo.yaml\n"
        "build_options:\n"
        "  cpu_cores_per_job: 1\n"
        "  memory_per_job_gb: 0.441\n"
        "config_settings:\n"
        '  "compile-args": ["-j1", "-v"]\n'
        "env:\n"
        '  "CFLAGS": "-DNAME=\\"x y\\""\n'
        '  "MAX_JOBS": "1"\n'
    )


def test_what_was_never_measured_is_left_out() -> None:
    assert rendered() == ""


def test_a_small_build_gets_the_least_that_fromager_takes() -> None:
    assert "memory_per_job_gb: 0.100" in rendered(build_record(demand={1: 1 << 20}))


def test_a_dollar_stays_one_though_fromager_replaces_variables() -> None:
    text = rendered(build_record(flags=BuildFlags(environment={"LDFLAGS": "-Wl,-rpath,$ORIGIN"})))
    assert '"LDFLAGS": "-Wl,-rpath,$$ORIGIN"' in text


def test_a_value_that_fromager_refuses_is_named() -> None:
    flags = BuildFlags(environment={"BAD": "$(pwd)", "GOOD": "1"})
    text = rendered(build_record(flags=flags))
    assert "# left out, since fromager takes no $(...): BAD\n" in text
    assert "pwd" not in text


def test_a_variable_with_a_name_that_yaml_reads_as_a_truth_value_is_quoted() -> None:
    environment = {"NO": "on", "1": "\U0001f40d"}
    text = rendered(build_record(flags=BuildFlags(environment=environment)))
    assert '  "NO": "on"\n' in text
    assert "\\ud83d" not in text, "YAML has no surrogates"
    assert '  "1": "\U0001f40d"\n' in text
