"""Mistakes on a command line: what is wrong with it, and what may have been meant.

Only an error loads this.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import click
from click.core import ParameterSource

from executor.cli.command_line import given_variable, long_name
from schemas.errors import UsageError

__all__ = ["command_left_out", "mistake", "unknown_command"]

_OTHER_WORDS = {
    "add": "write the requirement into pyproject.toml or a requirements file, and run "
    "lockstream plan",
    "clean": "run lockstream cache clear, which empties the cache of plans",
    "compile": "run lockstream plan -r requirements.in, which writes pylock.toml",
    "export": "a pylock.toml is read by pip and uv as it is",
    "freeze": "run lockstream plan, which writes pylock.toml, or lockstream tree, which prints it",
    "help": "run lockstream --help, or lockstream COMMAND --help",
    "install": "run lockstream execute, which installs pylock.toml into an environment",
    "list": "run lockstream tree, which prints the packages of a lock",
    "lock": "run lockstream plan, which writes pylock.toml",
    "outdated": "run lockstream plan --upgrade, then lockstream diff HEAD, which shows it",
    "remove": "delete the requirement from its file, run lockstream plan, then lockstream execute "
    "--exact",
    "run": "run lockstream execute, then the program in .venv/bin",
    "sync": "run lockstream execute --exact, which also removes what the lock does not list",
    "uninstall": "run lockstream execute --remove NAME",
    "update": "run lockstream plan --upgrade",
    "upgrade": "run lockstream plan --upgrade",
    "venv": "run lockstream execute, which makes the environment too",
    "version": "run lockstream --version",
}
"""What to run instead of the commands of other tools."""

_LOCKED = "execute installs what a lock lists; lockstream plan takes {} and writes the lock"
_NAMED = "the lock names the place of each file; --mirror FROM=TO fetches from another one"
_OTHER_OPTIONS = {
    ("execute", "-r"): _LOCKED.format("-r FILE"),
    ("execute", "--requirement"): _LOCKED.format("-r FILE"),
    ("execute", "-U"): _LOCKED.format("-U"),
    ("execute", "--upgrade"): _LOCKED.format("-U"),
    ("execute", "-i"): _NAMED,
    ("execute", "--index-url"): _NAMED,
    ("execute", "--extra-index-url"): _NAMED,
    ("execute", "--no-cache"): "execute keeps no cache; leave it out",
    ("execute", "--no-cache-dir"): "execute keeps no cache; leave it out",
    ("execute", "--frozen"): "execute never changes the lock; leave it out",
    ("execute", "--locked"): "execute never changes the lock; lockstream check says whether it is "
    "current",
    ("execute", "--require-hashes"): "execute always does; leave it out",
    ("plan", "--python"): "did you mean --python-version?",
    ("plan", "-p"): "did you mean --python-version?",
    ("plan", "--generate-hashes"): "a lock always has hashes; leave it out",
    ("plan", "--output-file"): "did you mean --output?",
    ("plan", "--python-platform"): "did you mean --platform?",
}
"""What to say to the options of other tools."""

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


def unknown_command(name: str, known: Sequence[str]) -> UsageError:
    """Return the error for a command that does not exist, with what may have been meant."""
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(known)}"
    return UsageError(f"there is no command {name!r}", hint=_OTHER_WORDS.get(name, hint))


def mistake(error: click.ClickException) -> UsageError:
    """Return what click found wrong with a command line as an error of ours: with a hint."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:  # its value is missing or too much: the parser knows no command
        return UsageError(_plain(error.message), "lockstream COMMAND --help says what it takes")
    path, command = context.command_path, context.command
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    if isinstance(error, click.NoSuchOption):
        hint = _OTHER_OPTIONS.get((path.partition(" ")[2], error.option_name), "")
        if near := error.possibilities:
            hint = hint or f"did you mean {near[0]}?"
        return UsageError(
            f"{path} has no option {error.option_name}", hint or f"{path} --help lists them"
        )
    if isinstance(error, click.MissingParameter) and error.param:
        return UsageError(f"{_subject(error.param)} is missing", f"write {usage}")
    if isinstance(error, click.BadParameter) and error.param:
        return UsageError(
            f"{_source(error.param, context)}: {_plain(error.message)}",
            f"{path} --help says what it takes",
        )
    if isinstance(command, click.Group):
        words = "|".join(command.list_commands(context))
        return UsageError(_plain(error.message), f"write {path} {words}")
    return UsageError(_plain(error.message), f"write {usage}")


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
    for theirs, ours in _KINDS:
        message = message.replace(theirs, ours)
    return message[:1].lower() + message[1:].removesuffix(".")
