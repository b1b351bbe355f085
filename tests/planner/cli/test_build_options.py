"""The options about building become one value."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from planner.cli.build_options import PlanBuildOptions, build_options
from schemas.errors import UsageError

FOUND: list[PlanBuildOptions] = []


@click.command()
@build_options
def command(builds: PlanBuildOptions) -> None:
    FOUND.append(builds)


def options(*words: str) -> PlanBuildOptions:
    FOUND.clear()
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    return FOUND[0]


def test_nothing_is_built_by_default() -> None:
    found = options()
    assert not found.project
    assert not found.request.resolve({}).allowed


def test_words_become_fields() -> None:
    found = options(
        "--build", "a,b", "--build-env", "a:X=1", "-C", "k=v", "--no-build-defaults",
        "--measure-jobs", "2", "--no-build-network", "--build-timeout", "5",
        "--wheelhouse", "w", "--wheelhouse-url", "https://w.example", "--build-project",
    )  # fmt: skip
    request = found.request
    assert found.project
    assert (request.select, request.environment, request.config_settings) == (
        ("a,b",), ("a:X=1",), ("k=v",),
    )  # fmt: skip
    assert (request.defaults, request.measured_jobs, request.network) == (False, 2, False)
    assert (request.seconds, request.wheelhouse) == (5.0, "w")
    assert request.wheelhouse_url == "https://w.example"


@pytest.mark.parametrize(
    ("words", "selected"),
    [
        (["--build"], ("missing",)),
        (["--build", "--build-project"], ("missing",)),
        (["--build", "never"], ("never",)),
        (["--build", "a", "--build", "b,c"], ("a", "b,c")),
    ],
)
def test_build_without_a_value_builds_what_is_missing(
    words: list[str], selected: tuple[str, ...]
) -> None:
    assert options(*words).request.select == selected


@pytest.mark.parametrize("words", [["--measure-jobs", "0"], ["--build-timeout", "0"]])
def test_a_number_out_of_range_is_wrong_usage(words: list[str]) -> None:
    assert CliRunner().invoke(command, words).exit_code == 2


def test_a_wheelhouse_is_a_folder_and_no_address() -> None:
    result = CliRunner().invoke(command, ["--wheelhouse", "https://w.example/wheels"])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == (
        "--wheelhouse https://w.example/wheels: this is an address, and not a path of this machine"
    )
