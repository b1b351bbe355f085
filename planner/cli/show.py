"""The commands ``show`` and ``diff``: the cost of a lock, and of a change to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from executor import (
    SectionedCommand,
    SelectOptions,
    echo,
    echo_json,
    json_option,
    lock_argument,
    select_options,
    target_options,
)
from planner.cli.lock_options import (
    open_lock,
    warn_of_newer,
)
from planner.cli.table import print_table
from planner.review.at_revision import read_lock_at
from planner.review.container_lines import FORMATS, container_lines
from planner.review.cost import Cost, PackageCost, cost_of
from planner.review.cost_change import fetched, fetched_change, files, unpacked, unpacked_change
from planner.review.diff import compare
from planner.review.fit import PLACES, ContainerSize, check_fit, check_sizes
from planner.review.recorded import targets_of
from schemas.errors import UsageError
from schemas.sizes import format_size
from schemas.text import counted, lock_command

__all__ = ["diff", "show"]


SHOWN_PACKAGES = 10


@click.command("show", cls=SectionedCommand)
@lock_argument
@target_options
@select_options
@click.option(
    "--fit",
    "fit",
    metavar="SIZE[/SIZE-disk]|NAME",
    help="Exit with status 1 if an execution needs more, such as 64MiB/2GiB-disk, or more than "
    f"a known place has: {', '.join(PLACES)}.",
)
@click.option(
    "--packages",
    "count",
    type=click.IntRange(0),
    metavar="N",
    default=SHOWN_PACKAGES,
    show_default=True,
    help="Show this many of the largest packages.",
)
@click.option(
    "--as",
    "form",
    type=click.Choice([*FORMATS]),
    help="Print the lines that give a container this memory and disk, and what they are made of.",
)
@json_option
def show(
    lock: str,
    python_versions: tuple[str, ...],
    platforms: tuple[str, ...],
    select: SelectOptions,
    fit: str | None,
    count: int,
    form: str | None,
    as_json: bool,
) -> None:
    """Show what an execution of LOCK (default: pylock.toml) takes on each of its targets."""
    if form and as_json:
        raise UsageError("--as and --json exclude each other", hint="name one of them")
    room = ContainerSize.parse(fit) if fit else None
    content = open_lock(lock)
    # Of what excludes each other, the largest choice counts.
    chosen = select.selected(content)
    costs = [
        cost_of(content, target, extras=chosen["extras"], groups=chosen["dependency_groups"])
        for target in targets_of(content, python_versions, platforms)
    ]
    if form:
        for line in container_lines(costs, form, lock):
            echo(line)
    elif as_json:
        echo_json([_to_json(cost) for cost in costs])
    else:
        _print_costs(costs)
        _print_packages(costs, count)
        _print_builds(costs)
    for cost in costs:
        _warn(cost, lock)
    if room:
        check_fit(costs, room)
        check_sizes(costs, room, lock)


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", default="pylock.toml", metavar="[NEW]")
@target_options
@click.option("--html", metavar="FILE", help="Write a page that opens offline.")
@click.option("--markdown", is_flag=True, help="Print Markdown for a merge request.")
@json_option
def diff(
    old: str,
    new: str,
    python_versions: tuple[str, ...],
    platforms: tuple[str, ...],
    html: str | None,
    markdown: bool,
    as_json: bool,
) -> None:
    """Show what differs in the lock NEW (default: pylock.toml): versions, and what it takes.

    OLD and NEW are files, or of a git revision: HEAD, main:pylock.toml. A package from another
    place, and a file that was replaced under its name, are marked.
    """
    if markdown and as_json:
        raise UsageError("--markdown and --json exclude each other", hint="name one of them")
    before, after = read_lock_at(old, new), read_lock_at(new, old)
    warn_of_newer(before, old)
    warn_of_newer(after, new)
    changes = compare(before, after)
    targets = targets_of(after, python_versions, platforms)
    pairs = [(_whole_cost(before, target), _whole_cost(after, target)) for target in targets]
    if html:
        # Only a page needs them.
        from planner.cli.page_file import write_page  # noqa: PLC0415
        from planner.runs.diff_page import render_diff  # noqa: PLC0415

        write_page("--html", html, render_diff((old, new), changes, pairs), (old, new))
    if markdown:
        from planner.cli.page_file import print_markdown  # noqa: PLC0415  # only this needs it
        from planner.runs.diff_page import diff_to_markdown  # noqa: PLC0415

        print_markdown(diff_to_markdown((old, new), changes, pairs))
    if markdown or (html and not as_json):
        return
    if as_json:
        rows = [
            {"name": one.name, "old": one.old, "new": one.new, "notes": one.notes}
            for one in changes
        ]
        costs = [{"old": _to_json(one), "new": _to_json(other)} for one, other in pairs]
        echo_json({"changes": rows, "costs": costs})
        return
    for change in changes:
        echo(str(change))
    for one, other in pairs:
        echo(
            f"{other.target}: {len(one.packages)} -> {counted(len(other.packages), 'package')}, "
            f"{fetched_change(one, other)} to fetch, {unpacked_change(one, other)} unpacked"
        )


def _whole_cost(lock: Any, target: Any) -> Cost:
    return cost_of(lock, target, extras=lock.extras or (), groups=lock.dependency_groups or ())


def _print_costs(costs: Iterable[Cost]) -> None:
    header = ("target", "packages", "to fetch", "unpacked", "files", "largest file", "memory",
              "disk")  # fmt: skip
    rows = [
        (
            str(cost.target),
            str(len(cost.packages)),
            fetched(cost),
            unpacked(cost, cost.unpacked_size),
            files(cost),
            unpacked(cost, cost.largest_file),
            format_size(cost.memory),
            unpacked(cost, cost.disk),
        )
        for cost in costs
    ]
    print_table([header, *rows])


def _print_packages(costs: Iterable[Cost], count: int) -> None:
    """Print the largest packages, each with its largest size on any target."""
    largest: dict[tuple[str, str], PackageCost] = {}
    for package in (package for cost in costs for package in cost.packages):
        key = package.name, str(package.version)
        if key not in largest or package.unpacked_size > largest[key].unpacked_size:
            largest[key] = package
    chosen = sorted(largest.values(), key=lambda one: (-one.unpacked_size, one.name))[:count]
    if chosen:
        echo()
        print_table(
            [
                ("package", "to fetch", "unpacked", "files"),
                *(
                    (
                        one.titled,
                        format_size(one.size) if one.size is not None else "?",
                        format_size(one.unpacked_size) if one.hints else "?",
                        f"{one.hints.files:,}" if one.hints else "?",
                    )
                    for one in chosen
                ),
            ]
        )


def _print_builds(costs: Iterable[Cost]) -> None:
    """Print what was built, and what has to be built again."""
    builds = {
        one.build.wheel: one for cost in costs for one in cost.packages if one.build is not None
    }
    if builds:
        echo()
        header = ("build", "memory", "at jobs", "files", "seconds", "wheel")
        rows = [
            (
                one.titled,
                format_size(build.peak),
                ", ".join(f"{jobs}: {format_size(size)}" for jobs, size in build.demand.items()),
                format_size(build.files),
                f"{build.seconds:.1f}",
                "listed" if one.filename else "to be built",
            )
            for one in builds.values()
            if (build := one.build)
        ]
        print_table([header, *rows])


def _warn(cost: Cost, lock: str) -> None:
    for package in cost.packages:
        if package.filename is None:
            warning = f"{package.name} has no wheel for {cost.target}"
            if package.build:
                warning += "; execute --build builds it"
            echo(f"warning: {warning}", err=True)
    if unsized := cost.unsized:
        # enrich leaves what the locker said of the files as it is.
        helps = any(package.hints is None for package in unsized)
        unknown = counted(len(unsized), "package")
        command = lock_command("enrich" if helps else "plan", lock)
        echo(
            f"warning: {cost.target}: the lock does not record the sizes of {unknown}; {command} "
            "adds them",
            err=True,
        )


def _to_json(cost: Cost) -> dict[str, Any]:
    return {
        "target": {**cost.target.to_table(), "name": str(cost.target)},
        "size": cost.size,
        "unpacked-size": cost.unpacked_size,
        "files": cost.files,
        "largest-file": cost.largest_file,
        "memory": cost.memory,
        "disk": cost.disk,
        "unknown": cost.unknown,
        "packages": [
            {
                "name": one.name,
                "version": str(one.version) if one.version else None,
                "file": one.filename,
                "size": one.size,
                **({"build": one.build.to_table()} if one.build else {}),
                **(one.hints.to_table() if one.hints else {}),
            }
            for one in cost.packages
        ],
    }
