"""The options that ``execute`` and ``verify`` share: the environment, and what to install."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from executor.cli.command_line import is_from_variable
from executor.cli.option_group import option_group, section
from executor.environment.environment import Environment
from executor.lock.options import SelectOptions
from schemas.data_class import frozen
from schemas.errors import UsageError

__all__ = [
    "EnvironmentOptions",
    "environment_options",
    "relocatable_option",
    "scope_options",
    "select_options",
    "selection_options",
    "target_options",
]

F = TypeVar("F", bound=Callable[..., Any])


@frozen(kw_only=True)
class EnvironmentOptions:
    """The environment that the user named."""

    venv: str | None
    python: str | None
    target: str | None
    prefix: str | None
    python_version: str | None
    platform: str | None
    break_system_packages: bool

    def open(self, *, relocatable: bool = False, to_read: bool = False) -> Environment:
        """Return the environment, as its interpreter describes it.

        If it is made, or is a folder of packages, and ``relocatable``, it may be moved later. If it
        is only opened ``to_read``, it may be one that another package manager owns.

        Raises UsageError, InterpreterUnusable and ExternallyManaged.
        """
        named = (("--venv", self.venv), ("--target", self.target), ("--prefix", self.prefix))
        given = [name for name, value in named if value]
        if len(given) > 1:
            raise UsageError(f"{' and '.join(given)} exclude each other", hint="name one of them")
        for name, value in named:
            if value and "://" in value:
                from executor.cli.output_file import refuse_address  # noqa: PLC0415  # a mistake

                refuse_address(name, value, "name a folder")
        if (self.python_version or self.platform) and not self.target:
            raise UsageError(
                "--python-version and --platform are for a folder that another machine runs",
                hint="name the folder with --target; a virtual environment of another Python is "
                "made by --venv DIR --python 3.12",
            )
        is_made = not self.prefix and not (self.python and not (self.venv or self.target))
        if relocatable and not is_made:
            raise UsageError(
                "--relocatable is for a virtual environment that is made, or for --target",
                hint="name a folder with --venv or --target",
            )
        if self.target:
            return Environment.target(
                self.target,
                self.python,
                python_version=self.python_version,
                platform=self.platform,
                relocatable=relocatable,
            )
        if self.prefix:
            return Environment.prefix(self.prefix, self.python)
        if self.python and not self.venv:
            may_be_managed = to_read or self.break_system_packages
            return Environment.of_python(self.python, break_system=may_be_managed)
        return Environment.venv(
            self.venv or _active_venv() or ".venv", self.python, relocatable=relocatable
        )


def _active_venv() -> str | None:
    """Return the virtual environment that is activated in the user's shell."""
    folder = os.environ.get("VIRTUAL_ENV", "")
    return folder if os.path.exists(os.path.join(folder, "pyvenv.cfg")) else None


def _where(**given: Any) -> EnvironmentOptions:
    """Return the options. What the command line says comes before what variables say."""
    named = [name for name in ("venv", "target", "prefix") if given[name]]
    if not all(map(is_from_variable, named)):
        given.update({name: None for name in named if is_from_variable(name)})
    if not given["target"]:
        # These variables are also those of plan.
        given.update(
            {name: None for name in ("python_version", "platform") if is_from_variable(name)}
        )
    return EnvironmentOptions(**given)


environment_options = option_group(
    "where",
    "Environment",
    _where,
    click.option(
        "--venv",
        metavar="DIR",
        help="Virtual environment (default: the one that is active, VIRTUAL_ENV, else .venv).",
    ),
    click.option(
        "--python",
        metavar="EXE",
        help="The environment of this interpreter, such as python3.12 or 3.12; with --venv, "
        "--target or --prefix: the interpreter that the folder is for.",
    ),
    click.option("--target", metavar="DIR", help="A folder of packages, as in PYTHONPATH."),
    click.option("--prefix", metavar="DIR", help="A folder with the layout of a Python prefix."),
    click.option("--python-version", metavar="X.Y", help="With --target: for this Python version."),
    click.option("--platform", metavar="TAG", help="With --target: for this platform."),
    click.option(
        "--break-system-packages",
        is_flag=True,
        help="Let execute change a Python that another package manager owns, at your own risk.",
    ),
)


def _selection(
    *, extra: tuple[str, ...], group: tuple[str, ...], no_default_groups: bool, **given: Any
) -> SelectOptions:
    return SelectOptions(
        extras=frozenset(extra),
        groups=frozenset(group),
        default_groups=not no_default_groups,
        **given,
    )


_SCOPES = (
    click.option(
        "--extra", multiple=True, metavar="NAME", help="Include this extra too. Repeatable."
    ),
    click.option("--all-extras", is_flag=True, help="Include all extras of the lock."),
    click.option(
        "--group", multiple=True, metavar="NAME", help="Include this group too. Repeatable."
    ),
    click.option("--all-groups", is_flag=True, help="Include all dependency groups."),
    click.option("--no-default-groups", is_flag=True, help="Leave out the default groups."),
)


_TARGETS = (
    click.option(
        "--python-version",
        "python_versions",
        multiple=True,
        metavar="VERSION",
        help="For this Python only, such as 3.12. Default: the targets of the lock. Repeatable.",
    ),
    click.option(
        "--platform",
        "platforms",
        multiple=True,
        metavar="TAG",
        help="For this platform only, such as linux. Repeatable.",
    ),
)


def scope_options(function: F) -> F:
    """Add the options that select extras and groups of a lock, each as a parameter of its own."""
    return section("Selection", *_SCOPES)(function)


def select_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of ``scope_options``; the command gets them as one value, ``select``."""
    return option_group("select", "Selection", _selection, scope_options)(function)


def target_options(function: F) -> F:
    """Add the options that name targets of a lock, each as a parameter of its own."""
    return section("Targets", *_TARGETS)(function)


selection_options = option_group(
    "select",
    "Selection",
    _selection,
    scope_options,
    click.option(
        "--build",
        is_flag=True,
        help="Include packages that the lock has no wheel of: execute builds them.",
    ),
    click.option("--skip-unbuildable", is_flag=True, help="Leave out packages that must be built."),
)

relocatable_option = section(
    "Environment",
    click.option(
        "--relocatable",
        is_flag=True,
        help="Make an environment that runs wherever it is moved to: commands find their Python in "
        "their own folder; with --target, in the PATH.",
    ),
)
