"""The command ``plan``."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from packaging.pylock import Pylock, is_valid_pylock_path
from packaging.utils import canonicalize_name

from planner.cli.build_options import build_options, build_policy
from planner.cli.console import ConsoleReporter
from planner.cli.lock_options import json_option, sources_of
from planner.cli.merge_into import read_merged, with_targets_of
from planner.cli.plan_options import index_options, input_options, policy_options
from planner.index.access import Access
from planner.index.cache import Cache, default_folder
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest, PolicyRequest, index_table
from planner.inputs.provenance import Provenance, read_inputs
from planner.inputs.targets import targets_for
from planner.lock.built import known_builds
from planner.lock.reader import parse_lock, read_lock
from planner.lock.writer import write_atomically
from planner.model.environments import MarkerEnvironment, group_targets
from planner.model.policy import Preferences
from planner.planning.answer_cache import AnswerCache, follows_from_indexes
from planner.planning.reporter import tell
from planner.review.cost import Cost, cost_of
from planner.review.fit import ContainerSize, check_fit
from planner.review.previous import check_files, is_current, preferences
from schemas.errors import UsageError

__all__ = ["plan"]


@click.command("plan")
@click.argument("projects", metavar="[PROJECT]...", nargs=-1, type=click.Path())
@input_options
@click.option(
    "-o",
    "--output",
    default="pylock.toml",
    show_default=True,
    metavar="FILE",
    help="Where to write the lock; - is standard output.",
)
@click.option(
    "--python-version",
    "python_versions",
    multiple=True,
    metavar="VERSION",
    help="A Python to plan for, such as 3.12, 3.13t (free-threaded) or pypy3.11. Repeatable. "
    "Default: the targets of the project, else the Python that runs lockstream.",
)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="TAG",
    help="The newest platform tag of a target, such as manylinux_2_28_x86_64, or linux, macos or "
    "windows. Repeatable: each with each Python. Default: this machine's.",
)
@index_options
@policy_options
@build_options
@click.option(
    "--merge-into",
    metavar="LOCK",
    help="Add this machine, or the targets that are named, to those of an existing lock, with the "
    "wheels built here for them; what it has is kept. The inputs are those of the lock, unless "
    "others are named.",
)
@click.option(
    "-U", "--upgrade", is_flag=True, help="Choose anew; otherwise what the lock has is kept."
)
@click.option(
    "-P",
    "--upgrade-package",
    "upgraded",
    multiple=True,
    metavar="NAME",
    help="Choose anew for this package. Repeatable.",
)
@click.option(
    "--fit",
    "room",
    metavar="SIZE[/SIZE-disk]",
    help="Write no lock whose execution needs more, such as 64MiB/2GiB-disk.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings and errors.")
@json_option
def plan(
    projects: tuple[str, ...],
    requirements: tuple[str, ...],
    constraints: tuple[str, ...],
    overrides: tuple[str, ...],
    excludes: tuple[str, ...],
    extras: tuple[str, ...],
    all_extras: bool,
    groups: tuple[str, ...],
    all_groups: bool,
    output: str,
    python_versions: tuple[str, ...],
    platforms: tuple[str, ...],
    default_index: str | None,
    indexes: tuple[str, ...],
    pins: tuple[str, ...],
    strategy: str | None,
    find_links: tuple[str, ...],
    no_index: bool,
    keyring: bool,
    offline: bool,
    cache_dir: str | None,
    refresh: bool,
    no_cache: bool,
    allow_hosts: tuple[str, ...],
    prerelease: str | None,
    resolution: str | None,
    exclude_newer: str | None,
    no_binary: tuple[str, ...],
    only_binary: tuple[str, ...],
    no_build: bool,
    require_hashes: bool,
    align: bool | None,
    merge_into: str | None,
    upgrade: bool,
    upgraded: tuple[str, ...],
    room: str | None,
    quiet: bool,
    as_json: bool,
    **building: Any,
) -> None:
    """Choose wheels for everything that is needed, size them, and write the lock.

    What is needed is told by requirements files, or by the pyproject.toml in each folder PROJECT
    (by default the current one), or by a script with inline metadata (PEP 723). One lock serves
    all targets that are named. Where the lock exists, its versions are kept as far as they still
    answer; where all of it does, no index is asked (see --upgrade and --refresh).
    """
    started = time.monotonic()
    _check_output(output, as_json=as_json)
    _check_room((), room)
    sources = Provenance(
        projects=projects,
        requirements=requirements,
        constraints=constraints,
        overrides=overrides,
        excludes=excludes,
        extras=extras,
        groups=groups,
        all_extras=all_extras,
        all_groups=all_groups,
    )
    merged = None
    if merge_into is not None:
        merged = read_merged(merge_into, output=output, upgrade=upgrade)
        output = merge_into
        if not projects and not requirements:
            sources = sources_of(merged, merge_into)
    inputs = read_inputs(sources, environment=os.environ)
    if not sources.requirements:
        sources = replace(sources, projects=sources.projects or (os.curdir,))
    targets = targets_for(inputs, python_versions, platforms)
    if merged is not None:
        targets = with_targets_of(merged, targets, are_named=bool(python_versions or platforms))
    environments = group_targets(targets)
    _check_python(inputs, environments)
    choosing = PolicyRequest(
        prerelease=prerelease,
        resolution=resolution,
        exclude_newer=exclude_newer,
        no_binary=no_binary,
        only_binary=(*only_binary, *([":all:"] if no_build else ())),
        allow_hosts=allow_hosts,
        require_hashes=require_hashes,
        align=align,
    )
    policy = choosing.resolve(inputs, datetime.now(UTC))
    places = IndexRequest(
        default_index=default_index,
        indexes=indexes,
        pins=pins,
        find_links=find_links,
        no_index=no_index,
        strategy=strategy,
    ).resolve(inputs, os.environ)
    build_project = building.pop("build_project")
    builds = build_policy(inputs, **building)
    folder = os.getcwd() if output == "-" else os.path.dirname(os.path.abspath(output))
    provenance = {
        "inputs": sources.to_table(folder),
        "policy": {**index_table(places, folder), **choosing.to_table(policy, inputs)},
    }
    if told := builds.to_table():
        provenance["policy"]["build"] = told
    reporter = ConsoleReporter(quiet=quiet, as_json=as_json)
    previous = None if upgrade else _read_previous(output)
    keep = previous and not upgraded and not refresh and not build_project
    if previous and keep and is_current(previous, inputs, environments, provenance):
        costs = _costs(previous, environments)
        _check_room(costs, room)
        reporter.kept(previous, costs, output, time.monotonic() - started)
        return
    policy = replace(policy, preferences=_preferences(previous, environments, upgraded))
    cache = None if no_cache else Cache(cache_dir or default_folder(os.environ))
    is_settled = not (builds.allowed or build_project) and follows_from_indexes(inputs, places)
    question = (inputs, environments, policy, places, provenance)
    memo = AnswerCache(cache, question) if cache and is_settled else None
    lock: Pylock | None = None
    if memo and not refresh and (found := memo.recall()):
        text = found.text
        tell(found.remarks, reporter)
    else:
        from planner.api import resolve  # noqa: PLC0415

        text, lock = resolve(
            inputs,
            environments,
            policy=policy,
            indexes=places,
            access=Access(keyring=keyring, offline=offline, refresh=refresh, cache=cache),
            reporter=reporter,
            folder=folder,
            provenance=provenance,
            builds=builds,
            known=known_builds(previous, folder, builds.wheelhouse or "") if previous else (),
            projects=sources.projects if build_project else (),
            memo=memo,
        )
    # Reading it takes a third of the time in which it is remembered.
    if lock is None and (previous or room or as_json or not quiet):
        lock = parse_lock(text)
    costs = _check(lock, previous, environments, room) if lock else []
    _write(text, output)
    if cache:
        cache.tidy()
    if lock:
        reporter.planned(lock, costs, output, time.monotonic() - started)


def _check(
    lock: Pylock,
    previous: Pylock | None,
    environments: Sequence[MarkerEnvironment],
    room: str | None,
) -> list[Cost]:
    """What ``lock`` takes, where it may take the place of ``previous``."""
    if previous:
        check_files(previous, lock)
    costs = _costs(lock, environments)
    _check_room(costs, room)
    return costs


def _check_room(costs: Sequence[Cost], room: str | None) -> None:
    if room:
        check_fit(costs, ContainerSize.parse(room))


def _check_output(output: str, *, as_json: bool) -> None:
    if output == "-" and as_json:
        raise UsageError("both the lock and --json would go to standard output")
    if output != "-" and not is_valid_pylock_path(Path(output)):
        raise UsageError(
            f"a lock cannot be called {os.path.basename(output)!r}",
            hint="the standard allows pylock.toml and pylock.<name>.toml",
        )


def _check_python(inputs: Inputs, environments: Sequence[MarkerEnvironment]) -> None:
    wanted = inputs.requires_python
    for environment in environments:
        version = environment.python_version
        if wanted and not wanted.contains(version, prereleases=True):
            raise UsageError(
                f"the project needs Python {wanted}, and the target has {version}",
                hint="name another target with --python-version",
            )


def _read_previous(output: str) -> Pylock | None:
    return read_lock(output) if output != "-" and os.path.exists(output) else None


def _preferences(
    previous: Pylock | None, environments: Sequence[MarkerEnvironment], upgraded: Sequence[str]
) -> Sequence[Preferences]:
    names = {canonicalize_name(name) for name in upgraded}
    return preferences(previous, environments, upgrade=names) if previous else ()


def _costs(lock: Pylock, environments: Sequence[MarkerEnvironment]) -> list[Cost]:
    """What everything takes that installs may choose."""
    extras, groups = lock.extras or (), lock.dependency_groups or ()
    return [
        cost_of(lock, target, extras=extras, groups=groups)
        for environment in environments
        for target in environment.targets
    ]


def _write(text: str, output: str) -> None:
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        write_atomically(output, text)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from None
