"""The options of ``execute`` that are about building, and how it is told of."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from executor.api import Building
from executor.lock.options import Wanted
from schemas.errors import UsageError

__all__ = ["building_of", "building_options", "with_projects"]


F = TypeVar("F", bound=Callable[..., Any])


_OPTIONS = (
    click.option("--build-network", is_flag=True, help="With --build: builds may use the network."),
    click.option(
        "--build-timeout",
        type=click.FloatRange(1),
        default=3600.0,
        show_default=True,
        metavar="SECONDS",
        help="With --build: give a build up after so long.",
    ),
    click.option(
        "--build-unmeasured",
        is_flag=True,
        help="With --build: build also what the lock does not tell the memory of.",
    ),
    click.option(
        "--project",
        "projects",
        multiple=True,
        metavar="DIR",
        help="Build and install the project in this folder too. Repeatable.",
    ),
    click.option(
        "--no-deps",
        is_flag=True,
        help="LOCK is the folder of a project: build and install that alone.",
    ),
    click.option(
        "--editable", is_flag=True, help="Install projects so that they lead to their folders."
    ),
)


def building_options(function: F) -> F:
    """The options that say how to build."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def with_projects(
    lock: str,
    wanted: Wanted,
    *,
    projects: tuple[str, ...],
    no_deps: bool,
    editable: bool,
    **_: Any,
) -> tuple[str, Wanted]:
    """The path of the lock, and what is wanted with these projects. Raises UsageError."""
    folders = list(projects)
    if no_deps:
        if not os.path.isdir(lock):
            raise UsageError(
                f"--no-deps installs a project alone, and {lock} is no folder",
                hint="name the folder of the project: lockstream execute --no-deps .",
            )
        folders.insert(0, lock)
        lock = os.path.join(lock, "pylock.toml")
    if editable and not folders:
        raise UsageError("--editable is for projects", hint="name the folder of one with --project")
    if folders:
        from executor.lock.local_project import LocalProject  # noqa: PLC0415

        found = tuple(LocalProject(folder=folder, editable=editable) for folder in folders)
        wanted = replace(wanted, projects=found, no_deps=no_deps)
    return lock, wanted


def building_of(
    *, build_network: bool, build_timeout: float, build_unmeasured: bool, **_: Any
) -> Building:
    """What they say."""
    return Building(network=build_network, seconds=build_timeout, unmeasured=build_unmeasured)
