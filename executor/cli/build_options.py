"""The options of ``execute`` for builds and local projects."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import click

from executor.api import Building
from executor.cli.command_line import named_options
from executor.cli.option_group import option_group
from executor.lock.options import SelectOptions
from schemas.data_class import frozen
from schemas.errors import UsageError

__all__ = ["BuildOptions", "build_options"]


@frozen(kw_only=True)
class BuildOptions:
    """How to build, and which local projects to build and install."""

    build_network: bool
    build_timeout: float
    build_unmeasured: bool
    build_constraints: tuple[str, ...]
    projects: tuple[str, ...]
    no_deps: bool
    editable: bool
    named: tuple[str, ...] = ()
    """Options for builds alone that the command line has; variables are for many commands."""

    def building(self) -> Building:
        """Return how packages without a wheel may be built."""
        return Building(
            network=self.build_network,
            seconds=self.build_timeout,
            unmeasured=self.build_unmeasured,
            constraints=self.build_constraints,
        )

    def with_projects(self, lock: str, select: SelectOptions) -> tuple[str, SelectOptions]:
        """Return the path of the lock, and ``select`` with the local projects added.

        With ``--no-deps``, ``lock`` names the folder of a project. Raises UsageError.
        """
        folders = list(self.projects)
        if self.no_deps:
            if not os.path.isdir(lock):
                raise UsageError(
                    f"--no-deps installs a project alone, and {lock} is not a folder",
                    hint="name the folder of the project: lockstream execute --no-deps .",
                )
            folders.insert(0, lock)
            # ``plan --build-project`` writes the lock of its builds into the working folder.
            lock = "pylock.toml"
        if self.editable and not folders:
            raise UsageError(
                "--editable is for projects", hint="name the folder of one with --project"
            )
        if self.named and not (select.build or folders):
            raise UsageError(
                f"{self.named[0]} is for builds, and without --build nothing is built",
                hint=f"add --build, or leave {self.named[0]} out",
            )
        if folders:
            from executor.lock.local_project import LocalProject  # noqa: PLC0415

            found = tuple(LocalProject(folder=one, editable=self.editable) for one in folders)
            select = replace(select, projects=found, no_deps=self.no_deps)
        return lock, select


def _options(**given: Any) -> BuildOptions:
    for_builds = (name for name in named_options() if name.startswith("--build-"))
    return BuildOptions(named=tuple(for_builds), **given)


build_options = option_group(
    "builds",
    "Builds and projects",
    _options,
    click.option("--build-network", is_flag=True, help="With --build: builds may use the network."),
    click.option(
        "--build-timeout",
        type=click.FloatRange(1),
        default=3600.0,
        show_default=True,
        metavar="SECONDS",
        help="With --build: stop a build that takes longer.",
    ),
    click.option(
        "--build-unmeasured",
        is_flag=True,
        help="With --build: also build packages whose memory demand the lock does not record.",
    ),
    click.option(
        "--build-constraint",
        "build_constraints",
        multiple=True,
        metavar="FILE",
        help="With --build: limits on the versions of build requirements that the lock does not "
        "record. Repeatable.",
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
        help="LOCK is the folder of a project: build and install only that project.",
    ),
    click.option(
        "--editable", is_flag=True, help="Install links to the folders of projects, not copies."
    ),
)
