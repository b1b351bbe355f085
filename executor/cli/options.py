"""Options."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from executor.environment.environment import Environment
from executor.lock.options import Wanted
from schemas.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


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


def _print(content: object, lines: Iterable[str]) -> None:
    if content is not None:
        click.echo(json.dumps(content, indent=2))
        return
    for line in lines:
        click.echo(line)
