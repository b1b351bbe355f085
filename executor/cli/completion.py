"""The command ``completion``, and the answers to the scripts that it prints."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

__all__ = ["VARIABLE", "complete", "completion"]

VARIABLE = "_LOCKSTREAM_COMPLETE"
"""The variable by which the script of a shell asks for completions."""

_FOLDERS = frozenset({"DIR"})
_FILES = frozenset({"FILE", "LOCK", "[LOCK]", "OLD", "[NEW]", "EXE", "DIR|URL"})
"""Metavariables of options and arguments that take the path of a folder or a file."""


_HELP = """Print a script by which a shell completes commands, options and files of lockstream.

\b
bash:  eval "$(lockstream completion bash)"       in ~/.bashrc
zsh:   eval "$(lockstream completion zsh)"        in ~/.zshrc, after compinit
fish:  lockstream completion fish | source        in ~/.config/fish/config.fish
"""


@click.command("completion", help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script for ``shell``."""
    kind = get_completion_class(shell)
    assert kind is not None  # click has the three
    # The class for bash would start bash to learn its version.
    script = ShellComplete.source(kind(click.Command("lockstream"), {}, "lockstream", VARIABLE))
    # What fish is answered has a comma before the help, which may have more of them.
    click.echo(script.replace('split ","', 'split --max 1 ","'), nl=False)


def complete(program: click.Group, summaries: Mapping[str, str]) -> None:
    """Print what the shell asks for in VARIABLE, for example ``bash_complete``.

    ``summaries`` has a line for each command, so that none is loaded for it.
    """
    shell, _, instruction = os.environ[VARIABLE].partition("_")
    kind = get_completion_class(shell)
    if kind is None or instruction != "complete":
        return
    shell_asks = kind(program, {}, "lockstream", VARIABLE)
    try:
        shell_asks.get_completion_args()
    except (KeyError, ValueError):  # not asked by a shell: words or position are missing
        return
    load = program.get_command

    def get_command(context: click.Context, name: str) -> click.Command | None:
        if command := load(context, name):
            _name_paths(command)
        return command

    def shell_complete(context: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [
            CompletionItem(name, help=summary)
            for name, summary in summaries.items()
            if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(program, context, incomplete)

    program.shell_complete = shell_complete  # type: ignore[assignment,method-assign]
    program.get_command = get_command  # type: ignore[assignment,method-assign]
    click.echo(shell_asks.complete())


def _name_paths(command: click.Command) -> None:
    """Give the parameters of ``command`` that take a path a type that completes paths."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            _name_paths(one)
    for parameter in command.params:
        if parameter.metavar in _FOLDERS:
            parameter.type = click.Path(file_okay=False)
        elif parameter.metavar in _FILES:
            parameter.type = click.Path()
