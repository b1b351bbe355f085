"""Groups of command-line options that reach their command as one value."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

__all__ = ["json_option", "lock_argument", "option_group"]

F = TypeVar("F", bound=Callable[..., Any])


def lock_argument(function: F) -> F:
    """Add the argument ``LOCK``, the path of a lock, to a command; it gets it as ``lock``."""
    return click.argument("lock", default="pylock.toml", metavar="[LOCK]")(function)


def json_option(function: F) -> F:
    """Add the option ``--json`` to a command; it gets it as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(
        function
    )


def option_group(
    name: str, make: Callable[..., object], *options: Callable[[F], F]
) -> Callable[[F], Callable[..., Any]]:
    """Return a decorator that adds ``options`` to a command and passes them on as ``name``.

    ``make`` gets a keyword for each option, by the option's parameter name, and returns the value.
    It may raise LockstreamError.
    """
    names = _parameter_names(options)

    def decorate(function: F) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **given: Any) -> Any:
            values = {key: given.pop(key) for key in names}
            return function(*arguments, **given, **{name: make(**values)})

        decorated: Any = call
        for option in reversed(options):
            decorated = option(decorated)
        return call

    return decorate


def _parameter_names(options: tuple[Callable[[F], F], ...]) -> list[str]:
    def probe() -> None: ...

    decorated: Any = probe
    for option in options:
        decorated = option(decorated)
    # click keeps the parameters here until the command is made.
    return [str(parameter.name) for parameter in decorated.__click_params__]
