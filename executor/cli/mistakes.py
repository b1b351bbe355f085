"""Mistakes on a command line: what is wrong with it, and what may have been meant.

Only an error loads this.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches

import click
from click.core import ParameterSource

from executor.cli.command_line import given_variable, long_name, options_of
from executor.cli.other_tools import COMMANDS, OPTIONS, SUBCOMMANDS, VALUES, WORDS
from schemas.errors import UsageError

__all__ = ["command_left_out", "mistake", "unknown_command"]

_CLOSE = 0.8
"""How like one of ours an option has to be; below it, ``--cert`` would be ``--report``."""

_KINDS = (
    ("a valid integer range", "a whole number"),
    ("a valid float range", "a number"),
    ("a valid boolean", "yes or no"),
)
"""Values of options, as click names them and as users do."""


def command_left_out(name: str) -> UsageError:
    """Return the error of a command that this form of the program, lockstream.pyz, leaves out."""
    return UsageError(
        f"lockstream.pyz does not have the command {name}",
        hint="install all of lockstream: pipx install lockstream, or uv tool install lockstream",
    )


def unknown_command(words: Sequence[str], known: Sequence[str]) -> UsageError:
    """Return the error for ``words``, whose first is not a command; its hint is the command that
    the user probably meant.
    """
    name = words[0]
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(known)}"
    meant = name
    if name in WORDS:
        said = [name.partition("-")[2], *words[1:]]
        meant = next((word for word in said if word and not word.startswith("-")), name)
    if meant in known:
        hint = f"did you mean {meant}?"
    return UsageError(f"there is no command {name!r}", hint=COMMANDS.get(meant, hint))


def mistake(error: click.ClickException) -> UsageError:
    """Return what click found wrong with a command line as an error of ours: with a hint."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:  # its value is missing or too much: the parser knows no command
        return UsageError(_plain(error.message), "lockstream COMMAND --help says what it takes")
    path, command = context.command_path, context.command
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        return UsageError(f"{path} has no option {name}", _meant(name, path, command))
    if isinstance(error, click.MissingParameter) and error.param:
        return UsageError(f"{_subject(error.param)} is missing", f"write {usage}")
    if isinstance(error, click.BadParameter) and error.param:
        hint = _value_meant(error) or f"{path} --help says what it takes"
        return UsageError(f"{_source(error.param, context)}: {_plain(error.message)}", hint)
    if isinstance(command, click.Group):
        message = _plain(error.message)
        return UsageError(message, f"write {path} {_word_meant(message, command, context)}")
    return UsageError(_plain(error.message), f"write {usage}")


def _meant(name: str, path: str, command: click.Command) -> str:
    """Return a hint for ``name``, which is not an option of ``command``."""
    for of in (path.partition(" ")[2], ""):
        if hint := OPTIONS.get(of, {}).get(name):
            return hint
    spellings = ["--help"]
    for option in options_of(command):
        spellings += [*option.opts, *option.secondary_opts]
    ours = [one for one in spellings if one.startswith("--")]
    # The opposite is never what was meant: --build for --no-build.
    alike = [one for one in ours if one.startswith("--no-") == name.startswith("--no-")]
    longer = [one for one in alike if one.startswith(name) or name.startswith(f"{one}-")]
    near = longer if len(longer) == 1 else get_close_matches(name, alike, n=1, cutoff=_CLOSE)
    return f"did you mean {near[0]}?" if near else f"{path} --help lists them"


def _value_meant(error: click.BadParameter) -> str:
    """Return a hint for a value that is none of those that a parameter may have; empty if nothing
    is near.
    """
    kind = error.param.type if error.param else None
    if not isinstance(kind, click.Choice):
        return ""
    value = error.message.partition("'")[2].partition("'")[0].lower()
    near = get_close_matches(value, map(str, kind.choices), n=1, cutoff=_CLOSE)
    return VALUES.get(value, f"did you mean {near[0]}?" if near else "")


def _word_meant(message: str, group: click.Group, context: click.Context) -> str:
    """Return the words that may follow those of ``group``: if the one that ``message`` quotes is
    what other tools call a command, that command; if it is a value that one takes, both.
    """
    words = group.list_commands(context)
    quoted = message.partition("'")[2].rpartition("'")[0]
    if (meant := SUBCOMMANDS.get(quoted)) in words:
        return meant
    for word in words:
        command = group.get_command(context, word)
        for parameter in command.params if command else ():
            choices = parameter.type.choices if isinstance(parameter.type, click.Choice) else ()
            if isinstance(parameter, click.Argument) and quoted in choices:
                return f"{word} {quoted}"
    return "|".join(words)


def _subject(parameter: click.Parameter) -> str:
    """Return what ``parameter`` is called in the help."""
    if isinstance(parameter, click.Option):
        return long_name(parameter)
    return parameter.metavar or parameter.human_readable_name


def _source(parameter: click.Parameter, context: click.Context) -> str:
    """Return where the value of ``parameter`` is from: its variable, or its name."""
    source = context.get_parameter_source(parameter.name or "")
    # There is no source yet if the words of a variable cannot be told apart.
    if source in {ParameterSource.ENVIRONMENT, None} and (name := given_variable(parameter)):
        return name
    return _subject(parameter)


def _plain(message: str) -> str:
    """Return a sentence of click as ours are: in small letters, and without a full stop."""
    message = message.partition(". Recognized values:")[0]
    message = re.sub(r" is not in the range x>=(\d+)", r" is less than \1", message)
    for theirs, ours in _KINDS:
        message = message.replace(theirs, ours)
    return message[:1].lower() + message[1:].removesuffix(".")
