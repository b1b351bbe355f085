"""The options of ``plan`` that are about building, and the workshop that they set up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from planner.builds.policy import BuildPolicy, BuildRequest
from planner.inputs.inputs import Inputs

__all__ = ["build_options", "build_policy"]


F = TypeVar("F", bound=Callable[..., Any])


_OPTIONS = (
    click.option(
        "--build", "build_select", multiple=True, metavar="never|missing|NAMES",
        help="Build wheels here of what has none for a target: of nothing (the default), of all "
        "that is missing one, or of these packages. Each build is measured, and its wheel listed.",
    ),
    click.option(
        "--build-env", multiple=True, metavar="[NAME:]VAR=VALUE",
        help="An environment variable for the build of this package, or of all. Repeatable.",
    ),
    click.option(
        "-C", "--config-setting", "build_settings", multiple=True, metavar="[NAME:]KEY=VALUE",
        help="A config setting for the backend of this package, or of all. Repeatable.",
    ),
    click.option(
        "--build-defaults/--no-build-defaults", default=True,
        help="Whether to add flags that bound memory without changing what is built (the default).",
    ),
    click.option(
        "--measure-jobs", "build_jobs", type=click.IntRange(1), default=1, metavar="N",
        help="Measure builds with N compilers at once too, so that execute may use as many.",
    ),
    click.option(
        "--build-network/--no-build-network", default=True,
        help="Whether builds may use the network (the default).",
    ),
    click.option(
        "--build-timeout", type=click.FloatRange(1), default=3600.0, metavar="SECONDS",
        show_default=True, help="Give a build up after so long.",
    ),
    click.option(
        "--wheelhouse", metavar="DIR",
        help="The folder for wheels that are built. Default: wheelhouse, beside the lock.",
    ),
    click.option(
        "--wheelhouse-url", metavar="URL",
        help="List wheels that are built below this address instead of by their path.",
    ),
    click.option(
        "--build-project", is_flag=True,
        help="Also lock what PROJECT itself is built with, and measure it, for execute --project.",
    ),
    click.option(
        "--no-wheelhouse", is_flag=True,
        help="Measure only: keep no wheels, so that execute --build makes them anew.",
    ),
)  # fmt: skip


def build_options(function: F) -> F:
    """The options of ``--build``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def build_policy(
    inputs: Inputs,
    *,
    build_select: Sequence[str],
    build_env: Sequence[str],
    build_settings: Sequence[str],
    build_defaults: bool,
    build_jobs: int,
    build_network: bool,
    build_timeout: float,
    wheelhouse: str | None,
    wheelhouse_url: str | None,
    no_wheelhouse: bool,
) -> BuildPolicy:
    """What the options and the project say about building. Raises UsageError."""
    return BuildRequest(
        select=build_select,
        environment=build_env,
        config_settings=build_settings,
        defaults=build_defaults,
        measured_jobs=build_jobs,
        network=build_network,
        seconds=build_timeout,
        wheelhouse=wheelhouse,
        wheelhouse_url=wheelhouse_url,
        no_wheelhouse=no_wheelhouse,
    ).resolve(inputs.settings.build)
