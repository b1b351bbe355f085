"""Groups of command-line options: one value for their command, one heading in its help."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

__all__ = ["SectionedCommand", "json_option", "lock_argument", "option_group", "section"]

F = TypeVar("F", bound=Callable[..., Any])


class SectionedCommand(click.Command):
    """A command whose help has a heading for each group of options; the others come last."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options to ``formatter``, below the headings of their groups."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if isinstance(parameter, click.Option) and record is not None:
                title = getattr(parameter, "section", "Other options")
                sections.setdefault(title, []).append(record)
        sections["Other options"] = sections.pop("Other options")
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


def lock_argument(function: F) -> F:
    """Add the argument ``LOCK``, the path of a lock, to a command; it gets it as ``lock``."""
    return click.argument("lock", default="pylock.toml", metavar="[LOCK]")(function)


def json_option(function: F) -> F:
    """Add the option ``--json`` to a command; it gets it as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(
        function
    )


def section(title: str, *options: Callable[[F], F]) -> Callable[[F], F]:
    """Return a decorator that adds ``options`` to a command, below ``title`` in its help, unless
    they have another heading.
    """

    def decorate(function: F) -> F:
        decorated: Any = function
        for option in reversed(options):
            # click keeps the parameters here until the command is made.
            known = len(getattr(decorated, "__click_params__", ()))
            decorated = option(decorated)
            for parameter in decorated.__click_params__[known:]:
                parameter.section = getattr(parameter, "section", title)
        return function

    return decorate


def option_group(
    name: str, title: str, make: Callable[..., object], *options: Callable[[F], F]
) -> Callable[[F], Callable[..., Any]]:
    """Return a decorator that adds ``options`` to a command and passes them on as ``name``.

    ``title`` is their heading in the help of a SectionedCommand. ``make`` gets a keyword for each
    option, by the option's parameter name, and returns the value. It may raise LockstreamError.
    """
    add: Callable[[F], F] = section(title, *options)
    names = _parameter_names(add)

    def decorate(function: F) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **given: Any) -> Any:
            values = {key: given.pop(key) for key in names}
            return function(*arguments, **given, **{name: make(**values)})

        decorated: Any = call
        return add(decorated)

    return decorate


def _parameter_names(add: Callable[[F], F]) -> list[str]:
    def probe() -> None: ...

    decorated: Any = probe
    add(decorated)
    return [str(parameter.name) for parameter in decorated.__click_params__]
