"""The commands ``execute`` and ``verify``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from packaging.utils import canonicalize_name

from executor.budget.budget import Budget, PageCachePolicy
from executor.cli.build_options import building_of, building_options, with_projects
from executor.environment.changes import Changes, Sync
from executor.environment.environment import Environment
from executor.files.durability import Durability
from executor.install.install import execute as execute_lock
from executor.lanes.signals import stoppable
from executor.lock.options import Wanted
from executor.lock.step import Step
from executor.report.reporter import Reporter
from executor.sources.origins import Places
from executor.wheels.finish import StagedWheel
from executor.wheels.rules import Rules
from schemas.errors import ExitCode, InvalidInput, UsageError
from schemas.hints import TOOL_NAME
from schemas.sizes import parse_size
from schemas.urls import redacted

__all__ = ["execute", "verify"]


F = TypeVar("F", bound=Callable[..., Any])


MIRROR_VARIABLE = "LOCKSTREAM_MIRRORS"
"""Pairs ``FROM=TO``, divided by spaces."""


class _Warnings(Reporter):
    """What the user should know in any case."""

    def warned(self, text: str) -> None:
        click.echo(f"warning: {text}", err=True)


class _Lines(_Warnings):
    """Plain lines: one for each wheel, in order."""

    def __init__(self) -> None:
        self._total = 0

    def selected(self, changes: Changes, budget: Budget) -> None:
        self._total = len(changes.install)
        for name in changes.skipped:
            click.echo(f"warning: {name} is left out, it would have to be built", err=True)

    def staged(self, number: int, step: Step, wheel: StagedWheel) -> None:
        click.echo(f"[{number + 1}/{self._total}] {step.name} {step.version}", err=True)


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_lock_argument = click.argument("lock", default="pylock.toml", metavar="[LOCK]")


_environment_options = _options(
    click.option("--venv", metavar="DIR", help="Virtual environment (default: .venv)."),
    click.option(
        "--python",
        metavar="EXE",
        help="The environment of this interpreter; with another place, that place for it.",
    ),
    click.option("--target", metavar="DIR", help="A folder of packages, as for PYTHONPATH."),
    click.option("--prefix", metavar="DIR", help="A folder laid out as below a Python's prefix."),
    click.option("--python-version", metavar="X.Y", help="With --target: for this Python."),
    click.option("--platform", metavar="TAG", help="With --target: for this platform."),
    click.option(
        "--break-system-packages",
        is_flag=True,
        help="Change a Python that belongs to another package manager, at your own risk.",
    ),
)


_selection_options = _options(
    click.option("--extra", multiple=True, metavar="NAME", help="Install this extra too."),
    click.option("--all-extras", is_flag=True, help="Install all extras of the lock."),
    click.option("--group", multiple=True, metavar="NAME", help="Install this group too."),
    click.option("--all-groups", is_flag=True, help="Install all dependency groups."),
    click.option("--no-default-groups", is_flag=True, help="Leave the default groups out."),
    click.option("--build", is_flag=True, help="Build what the lock lists without a wheel."),
    click.option("--skip-unbuildable", is_flag=True, help="Leave out what would have to be built."),
)


_json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.command()
@_lock_argument
@_environment_options
@click.option(
    "--memory",
    default="auto",
    metavar="auto|SIZE",
    show_default=True,
    help="Memory budget, such as 64MiB. auto: what the surrounding cgroups leave.",
)
@click.option("--lanes", type=click.IntRange(1), metavar="N", help="Wheels to work on at once.")
@_selection_options
@building_options
@click.option("--exact", is_flag=True, help="Remove what the lock does not hold.")
@click.option(
    "--remove",
    multiple=True,
    metavar="NAME",
    help="Remove this package, if the lock does not hold it. --exact spares pip, setuptools, "
    "wheel and lockstream; this does not.",
)
@click.option("--reinstall", is_flag=True, help="Replace everything, even what is right.")
@click.option("--reinstall-package", multiple=True, metavar="NAME", help="Replace this package.")
@click.option("--dry-run", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--offline", is_flag=True, help="Take files from this machine only.")
@click.option("--find-links", multiple=True, metavar="DIR", help="Look for files here first.")
@click.option(
    "--mirror",
    multiple=True,
    metavar="FROM=TO",
    help="Fetch URLs that begin with FROM from TO instead, or from the next TO given for it; "
    "hashes still decide.",
)
@click.option(
    "--page-cache",
    type=click.Choice(["auto", "drop", "keep"]),
    default="auto",
    show_default=True,
    help="Whether written files stay in memory; auto: not where it is limited, and large ones not "
    "where the disk is waited for.",
)
@click.option(
    "--durability",
    type=click.Choice(["full", "kill"]),
    default="full",
    show_default=True,
    help="What the environment survives: the loss of power, or only that of the process.",
)
@click.option("--keyring", is_flag=True, help="Ask the keyring program for credentials.")
@click.option(
    "--on-collision",
    type=click.Choice(["refuse", "last"]),
    default="refuse",
    show_default=True,
    help="When two packages own one path with different contents.",
)
@click.option(
    "--lenient",
    is_flag=True,
    help="Install wheels whose RECORD is wrong, or that hold a file twice, with a warning.",
)
@click.option(
    "--verify-record/--no-verify-record",
    default=True,
    show_default=True,
    help="Hold each file to its hash in the wheel's RECORD, as the wheel standard demands, or "
    "believe it, as pip and uv do. The hash of the lock decides in any case.",
)
@click.option(
    "--allow-startup",
    multiple=True,
    metavar="NAME",
    help="This package may bring a sitecustomize or usercustomize module.",
)
@click.option("--compile", "compile_files", is_flag=True, help="Compile to byte code.")
@click.option("--report", metavar="FILE", help="Write the report as JSON.")
@click.option(
    "--progress",
    type=click.Choice(["plain", "none"]),
    default="plain",
    show_default=True,
    help="A line for each wheel, or nothing.",
)
@_json_option
def execute(
    lock: str,
    memory: str,
    lanes: int | None,
    exact: bool,
    remove: tuple[str, ...],
    reinstall: bool,
    reinstall_package: tuple[str, ...],
    dry_run: bool,
    offline: bool,
    find_links: tuple[str, ...],
    mirror: tuple[str, ...],
    keyring: bool,
    page_cache: PageCachePolicy,
    durability: Durability,
    on_collision: str,
    lenient: bool,
    verify_record: bool,
    allow_startup: tuple[str, ...],
    compile_files: bool,
    report: str | None,
    progress: str,
    as_json: bool,
    **where_and_what: Any,
) -> None:
    """Make an environment what LOCK (default: pylock.toml) says, inside a memory budget.

    Every wheel is streamed from the network to the disk in one pass and verified on the way. The
    environment changes only when all of them are complete.
    """
    sync = Sync(
        exact=exact,
        reinstall=reinstall,
        reinstall_packages=frozenset(map(canonicalize_name, reinstall_package)),
        remove=frozenset(map(canonicalize_name, remove)),
    )
    places = Places(
        find_links=find_links,
        mirrors=_mirrors(mirror, lock),
        offline=offline,
        keyring=keyring,
    )
    budget = None if memory == "auto" else parse_size(memory)
    lock, wanted = with_projects(lock, _wanted(**where_and_what), **where_and_what)
    environment = _environment(**where_and_what)
    if dry_run:
        from executor.install.decide import decide  # noqa: PLC0415

        changes = decide(lock, environment, wanted=wanted, sync=sync, places=places)
        _print(changes.to_json() if as_json else None, changes.lines())
        return
    with stoppable():
        done = execute_lock(
            lock,
            environment,
            memory=budget,
            lanes=lanes,
            wanted=wanted,
            sync=sync,
            places=places,
            page_cache=page_cache,
            durability=durability,
            building=building_of(**where_and_what),
            last_wins=on_collision == "last",
            compile_files=compile_files,
            rules=Rules(
                lenient=lenient,
                verify_record=verify_record,
                startup=frozenset(canonicalize_name(name) for name in allow_startup),
            ),
            reporter=_Lines() if progress == "plain" else _Warnings(),
        )
    if report:
        _write_json(report, done.to_json())
    _print(done.to_json() if as_json else None, done.lines())


@click.command()
@_lock_argument
@_environment_options
@_selection_options
@_json_option
def verify(lock: str, as_json: bool, **where_and_what: Any) -> None:
    """Tell whether an environment is what LOCK (default: pylock.toml) says, file by file.

    Exit status 1 if anything is missing, changed or extra.
    """
    from executor.install.decide import verify_environment  # noqa: PLC0415

    environment = _environment(**where_and_what)
    packages, found = verify_environment(lock, environment, wanted=_wanted(**where_and_what))
    drifts = list(found)
    summary = f"{packages} packages verified, {len(drifts)} differences"
    _print([drift.to_json() for drift in drifts] if as_json else None, [*map(str, drifts), summary])
    if drifts:
        raise click.exceptions.Exit(ExitCode.REFUSED)


def _wanted(
    *,
    extra: Iterable[str],
    all_extras: bool,
    group: Iterable[str],
    all_groups: bool,
    no_default_groups: bool,
    skip_unbuildable: bool,
    build: bool,
    **_: Any,
) -> Wanted:
    return Wanted(
        extras=frozenset(extra),
        all_extras=all_extras,
        groups=frozenset(group),
        all_groups=all_groups,
        default_groups=not no_default_groups,
        skip_unbuildable=skip_unbuildable,
        build=build,
    )


def _environment(
    *,
    venv: str | None,
    python: str | None,
    target: str | None,
    prefix: str | None,
    python_version: str | None,
    platform: str | None,
    break_system_packages: bool,
    **_: Any,
) -> Environment:
    places = [
        name
        for name, given in (("--venv", venv), ("--target", target), ("--prefix", prefix))
        if given
    ]
    if len(places) > 1:
        raise UsageError(f"{' and '.join(places)} exclude each other", hint="name one of them")
    if (python_version or platform) and not target:
        raise UsageError(
            "--python-version and --platform are for a folder that another machine runs",
            hint="name the folder with --target, or leave them out",
        )
    if target:
        return Environment.target(target, python, python_version=python_version, platform=platform)
    if prefix:
        return Environment.prefix(prefix, python)
    if python and not venv:
        return Environment.of_python(python, break_system=break_system_packages)
    return Environment.venv(venv or ".venv", python)


def _mirrors(options: Iterable[str], lock: str) -> tuple[tuple[str, str], ...]:
    """From the command line, the environment, and ``[tool.lockstream] mirrors`` of the
    pyproject.toml beside the lock, in this order.
    """
    words = [*options, *os.environ.get(MIRROR_VARIABLE, "").split()]
    pairs: list[tuple[Any, Any]] = [
        (prefix, replacement) for prefix, _, replacement in (word.partition("=") for word in words)
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(lock)), "pyproject.toml")
    if os.path.exists(path):
        import tomllib  # noqa: PLC0415  # it stays in memory

        try:
            with open(path, "rb") as file:
                tool = tomllib.load(file).get("tool", {}).get(TOOL_NAME, {})
                for prefix, places in tool.get("mirrors", {}).items():
                    several = places if isinstance(places, list) else [places]
                    pairs.extend((prefix, place) for place in several)
        except (OSError, ValueError) as error:  # not TOML, or not UTF-8
            raise InvalidInput(f"{path}: {error}") from None
        except AttributeError:
            raise InvalidInput(f"{path}: [tool.{TOOL_NAME}] mirrors is not a table") from None
    for prefix, replacement in pairs:
        if not (_is_url(prefix) and _is_url(replacement)):
            raise UsageError(
                f"{redacted(str(prefix))} = {redacted(str(replacement))} is not a mirror",
                hint="write --mirror https://from.example/=https://to.example/",
            )
    return tuple(pairs)


def _is_url(text: object) -> bool:
    return isinstance(text, str) and "://" in text


def _write_json(path: str, content: object) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {os.strerror(error.errno or 0)}",
            hint="the environment is filled; name another file, and run it again for its report",
        ) from None


def _print(content: object, lines: Iterable[str]) -> None:
    if content is not None:
        click.echo(json.dumps(content, indent=2))
        return
    for line in lines:
        click.echo(line)
