"""What every command gets: variables for its options, ``--quiet`` and ``--verbose``."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from executor.cli.output import VERBOSITY, echo, is_verbose
from schemas.errors import UsageError
from schemas.variables import PREFIX, nearest, unknown, variables_of

__all__ = [
    "check_words",
    "given_variable",
    "is_from_variable",
    "long_name",
    "named_options",
    "options_of",
    "prepare",
    "set_by_variables",
]

_ENVIRONMENT = ParameterSource.ENVIRONMENT

_NO_VARIABLE = frozenset({"--help", "--version", "--mirror"})
"""Options without a variable of their own: ``LOCKSTREAM_MIRRORS`` is older than the rule."""


class _Words(click.types.StringParamType):
    """Text of which a variable may hold several values, as a shell reads words."""

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        import shlex  # noqa: PLC0415  # few set such a variable

        try:
            return shlex.split(rv)
        except ValueError as error:
            raise click.BadParameter(f"{rv!r} is not a list of words: {error}") from None


_WORDS = _Words()


def prepare(command: click.Command, name: str) -> None:
    """Give the options of ``command`` their variables, and add ``--quiet`` and ``--verbose``.

    ``name`` is what the user types. It may be called again with the same command.
    """
    if isinstance(command, click.Group):
        for word, one in command.commands.items():
            prepare(one, f"{name} {word}")
        return
    if any("--quiet" in option.opts for option in options_of(command)):
        return
    command.params += [
        _level("quiet", -1, "Print only results, warnings and errors."),
        _level("verbose", 1, "Print also which variables count, and the time and memory it took."),
    ]
    if command.callback:
        command.callback = _described(command.callback)
    for option in options_of(command):
        if (long := long_name(option)) not in _NO_VARIABLE:
            option.envvar = variables_of(long, name)
            if option.multiple and option.type is click.STRING:
                option.type = _WORDS


def long_name(option: click.Option) -> str:
    """Return the name of ``option`` that its variable is made of: its first long one."""
    return next(name for name in option.opts if name.startswith("--"))


def options_of(command: click.Command) -> Iterator[click.Option]:
    """Yield the options of ``command``, and of its subcommands if it is a group."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            yield from options_of(one)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield parameter


def check_words(words: Sequence[str], command: click.Command, commands: Sequence[str]) -> None:
    """Check what ``command``, one of ``commands``, gets from the command line ``words`` and from
    the environment.

    Raises UsageError if an argument or a variable is empty, or if the working directory is deleted.
    Warns of variables that look like ours and are not.
    """
    for before, word in zip(["", *words], words, strict=False):
        name, equals, value = word.partition("=")
        is_option = word.startswith("--")
        if not word or (is_option and equals and not value):
            option = name if is_option else before
            is_value = is_option or before in _taking_values(command)
            part = "option" if is_value else "argument"
            raise UsageError(
                f"{option if is_value else 'an argument'} is empty",
                hint=f"a variable of the shell may be unset; leave the {part} out for its default",
            )
    if not {"-h", "--help"}.intersection(words):
        _check_variables(command, commands)
    try:
        os.getcwd()
    except FileNotFoundError:
        raise UsageError(
            "the working directory is deleted",
            hint="change into a folder that exists, and run the command again",
        ) from None


def _taking_values(command: click.Command) -> Iterator[str]:
    """Yield the names of the options of ``command`` that a value follows."""
    for option in options_of(command):
        if not (option.is_flag or option.count):
            yield from option.opts


def _check_variables(command: click.Command, commands: Sequence[str]) -> None:
    given = [name for name in os.environ if name.startswith(PREFIX)]
    if not given:
        return
    for name in (name for option in options_of(command) for name in option.envvar or ()):
        if os.environ.get(name) == "":
            raise UsageError(
                f"{name} is empty", hint="unset it for the default, or give it a value"
            )
    for name in unknown(given, commands):
        meant = nearest(name)
        end = f"; {meant} is" if meant else ""
        echo(f"warning: {name} is not a variable of lockstream{end}", err=True)


def is_from_variable(name: str) -> bool:
    """Return whether the parameter ``name`` of the running command was given by its variable."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(name) if context else None
    return source is _ENVIRONMENT


def named_options() -> Iterator[str]:
    """Yield the names of the options that the command line of the running command has."""
    context = click.get_current_context(silent=True)
    if context is None:
        return
    for option in options_of(context.command):
        if context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE:
            yield long_name(option)


def given_variable(parameter: click.Parameter) -> str:
    """Return the variable that the value of ``parameter`` is from."""
    return next((name for name in parameter.envvar or () if os.environ.get(name)), "")


def _described(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``call`` with what ``--verbose`` prints before and after it, with the variables that
    an error of usage is about, and able to wait for processes.
    """

    @wraps(call)
    def described(*arguments: Any, **given: Any) -> Any:
        # Whoever started the program may ignore the ends of children: they would leave no status.
        with suppress(AttributeError, ValueError):  # Windows has no such signal; not in a thread
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            return reported(*arguments, **given)
        except UsageError as error:
            error.left = "; ".join(filter(None, [error.left, *_variables_of(error)]))
            raise

    def reported(*arguments: Any, **given: Any) -> Any:
        if not is_verbose():
            return call(*arguments, **given)
        from executor.budget.memory import rss_peak  # noqa: PLC0415

        started = time.monotonic()
        for sentence in set_by_variables():
            echo(sentence, err=True)
        try:
            return call(*arguments, **given)
        finally:
            seconds, peak = time.monotonic() - started, rss_peak() / 2**20
            echo(f"took {seconds:.1f} s and at most {peak:.1f} MiB of memory (RSS)", err=True)

    return described


def _variables_of(error: UsageError) -> Iterator[str]:
    """Yield a sentence for each variable whose option or value ``error`` names."""
    text = str(error)
    for option, variable in _given_by_variables():
        value = repr(os.environ[variable])
        if value in text or re.search(rf"{long_name(option)}(?![\w-])", text):
            yield _set_by(option, variable)


def _given_by_variables() -> Iterator[tuple[click.Option, str]]:
    """Yield the options of the running command that variables set, each with its variable."""
    for option in options_of(click.get_current_context().command):
        if is_from_variable(option.name or ""):
            yield option, given_variable(option)


def set_by_variables() -> Iterator[str]:
    """Yield a sentence for each option of the running command that a variable sets."""
    for option, variable in _given_by_variables():
        yield _set_by(option, variable)


def _set_by(option: click.Option, variable: str) -> str:
    return f"{long_name(option)} is set by {variable}"


def _level(name: str, value: int, text: str) -> click.Option:
    def keep(context: click.Context, option: click.Parameter, is_given: bool) -> None:
        is_variable = context.get_parameter_source(option.name or "") is _ENVIRONMENT
        # The command line comes before variables, whichever of the two options each gives.
        if is_given and not (is_variable and VERBOSITY in context.meta):
            context.meta[VERBOSITY] = value

    flags = [f"-{name[0]}", f"--{name}"]
    return click.Option(flags, is_flag=True, expose_value=False, callback=keep, help=text)
