"""The options of ``plan`` about building."""

from __future__ import annotations

from collections.abc import Sequence

import click

from executor import option_group, refuse_address
from planner.builds.build_request import BuildRequest
from planner.builds.policy import MAX_SECONDS
from planner.engines.engine_name import check_engine
from schemas.data_class import frozen
from schemas.errors import UsageError

__all__ = ["PlanBuildOptions", "build_options"]


@frozen
class PlanBuildOptions:
    """What a command line says about building."""

    request: BuildRequest
    project: bool
    """Whether the projects themselves are built, measured and locked too."""
    fragments: tuple[str, ...]
    """Places with wheels that other machines built for the existing lock."""
    engine: str | None
    """The engine that does the builds."""
    store: str | None
    """The folder or the URL for the wheels that it builds."""


def _make(
    *,
    build_select: Sequence[str],
    build_deferred: bool | None,
    build_env: Sequence[str],
    build_settings: Sequence[str],
    build_requires: Sequence[str],
    build_defaults: bool | None,
    build_jobs: int | None,
    build_network: bool | None,
    build_timeout: float | None,
    wheelhouse: str | None,
    wheelhouse_url: str | None,
    no_wheelhouse: bool,
    build_project: bool,
    build_constraints: Sequence[str],
    fragments: tuple[str, ...],
    engine: str | None,
    built_into: str | None,
) -> PlanBuildOptions:
    if engine is not None:
        check_engine(engine)
    elif built_into is not None:
        raise UsageError("--into is for builds on an engine", hint="name one with --on")
    if wheelhouse is not None:
        refuse_address("--wheelhouse", wheelhouse, "--wheelhouse-url names where they are served")
    request = BuildRequest(
        select=build_select,
        deferred=True if engine else build_deferred,
        environment=build_env,
        config_settings=build_settings,
        requires=build_requires,
        defaults=build_defaults,
        measured_jobs=build_jobs,
        network=build_network,
        seconds=build_timeout,
        wheelhouse=wheelhouse,
        wheelhouse_url=wheelhouse_url,
        no_wheelhouse=no_wheelhouse,
        constraints=build_constraints,
    )
    return PlanBuildOptions(request, build_project, fragments, engine, built_into)


build_options = option_group(
    "builds",
    "Builds",
    _make,
    click.option(
        "--build", "build_select", multiple=True, metavar="[never|missing|NAMES]",
        is_flag=False, flag_value="missing",
        help="Build wheels here for packages that have none for a target: never (the default), for "
        "every one that is missing (also without a value), or for these packages. Each build is "
        "measured, and its wheel is listed.",
    ),
    click.option(
        "--defer-builds/--no-defer-builds", "build_deferred", default=None,
        help="List the sources of what --build selects, for any target, and build nothing. "
        "lockstream builds shows the work, and lockstream build does a part of it elsewhere.",
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
        "--build-requires", multiple=True, metavar="NAME:REQUIREMENT",
        help="A requirement of the build of this package that its source does not declare. "
        "Repeatable.",
    ),
    click.option(
        "--build-defaults/--no-build-defaults", default=None,
        help="Add flags that bound memory without changing what is built (the default).",
    ),
    click.option(
        "--measure-jobs", "build_jobs", type=click.IntRange(1), metavar="N",
        help="Also measure builds with N compilers at once, so that execute may use as many.",
    ),
    click.option(
        "--build-network/--no-build-network", default=None,
        help="Let builds use the network (the default).",
    ),
    click.option(
        "--build-timeout", type=click.FloatRange(1), metavar="SECONDS",
        help=f"Stop a build after this time. Default: {MAX_SECONDS:.0f}.",
    ),
    click.option(
        "--build-constraint", "build_constraints", multiple=True, metavar="FILE",
        help="A constraints file: limits on the versions of what builds require. Repeatable.",
    ),
    click.option(
        "--wheelhouse", metavar="DIR",
        help="The folder for wheels that are built. Default: wheelhouse, next to the lock.",
    ),
    click.option(
        "--wheelhouse-url", metavar="URL",
        help="List wheels that are built by their URL below this address, not by their path.",
    ),
    click.option(
        "--fragments", multiple=True, metavar="DIR|URL",
        help="List the wheels that lockstream build has left in this folder, or at this address, "
        "for the builds that the lock defers. Repeatable.",
    ),
    click.option(
        "--on", "engine", metavar="ENGINE",
        help="Do the builds on the workers of a Dask cluster: dask for one on this machine, or "
        "dask://HOST:PORT. As --defer-builds, and then the wheels are listed.",
    ),
    click.option(
        "--into", "built_into", metavar="DIR|URL",
        help="The folder for the wheels that are built elsewhere (with --on), or an address at "
        "which a server stores files (HTTP PUT). Default: in the cache. What it has is not built "
        "again.",
    ),
    click.option(
        "--build-project", is_flag=True,
        help="Also build and measure PROJECT itself, and lock its build requirements, for execute "
        "--project.",
    ),
    click.option(
        "--no-wheelhouse", is_flag=True,
        help="Measure only: keep no wheels, so that execute --build builds them again.",
    ),
)  # fmt: skip
