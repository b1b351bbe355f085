"""The command line: a group of commands, each of which is loaded when it is called.

It imports nothing but click, so that ``lockstream --help`` loads no command.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TypeAlias

import click

__all__ = ["Entry", "Program", "program"]


_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The folder that the rooms are in."""


Entry: TypeAlias = "tuple[str, str, str]"
"""A command: its module, its attribute there, and its line in ``--help``."""


_HELP = """\
Install Python packages in two phases.

Plan where memory is plentiful; execute in a container with little memory.
"""


_SECTIONS = {
    "planner.": "Plan, and look at locks",
    "executor.": "Execute, and look at environments",
}
"""The headings of the commands in the help, by the room that has them."""


_EXIT_CODES = """\b
Exit codes:
  0  done
  1  the answer is no: a stale lock, drift, a lock that does not fit
  2  wrong usage
  3  the lock or an input is invalid
  4  no solution
  5  network or index
  6  an artifact was refused: hash, size, hostile content
  7  not enough memory or disk
  8  a build failed
  9  the environment or a file may not be changed: permission, read-only, another owner
"""


class Program(click.Group):
    """The command line, made from ``entries``; loads a command when it is called."""

    entries: Mapping[str, Entry]
    """The commands by their names. Whoever runs the program sets them."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if (entry := self.entries.get(name)) is None:
            return None
        module, attribute, summary = entry
        # Imported modules stay, and searching them for garbage takes a tenth of the time.
        gc.disable()
        try:
            from executor.cli.command_line import prepare  # noqa: PLC0415  # not for --help

            command: click.Command = getattr(import_module(module), attribute)
            prepare(command, name)
            # With PYTHONOPTIMIZE=2 Python drops the docstring that is the text of its --help.
            command.help = command.help or summary
        except ModuleNotFoundError:
            if _is_here(entry):
                raise
            from executor.cli.mistakes import command_left_out  # noqa: PLC0415  # errors only

            raise command_left_out(name) from None
        finally:
            gc.freeze()
            gc.enable()
        return command

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if words[0] and words[0] not in self.entries and not words[0].startswith("-"):
            from executor.cli.mistakes import unknown_command  # noqa: PLC0415  # errors only

            raise unknown_command(words, list(self.entries))
        from executor.cli.command_line import check_words  # noqa: PLC0415  # not for --help

        found = super().resolve_command(context, words)
        if found[1] is not None and not context.resilient_parsing:
            check_words(words, found[1], list(self.entries))
        return found

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        # click would load every command for its summary.
        here = {name: entry for name, entry in self.entries.items() if _is_here(entry)}
        for room, title in _SECTIONS.items():
            rows = [(name, one[2]) for name, one in here.items() if one[0].startswith(room)]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
        if len(here) < len(self.entries):
            formatter.write_paragraph()
            formatter.write_text("To plan: pipx install lockstream, or uv tool install lockstream.")


def _is_here(entry: Entry) -> bool:
    """Return whether this form of the program holds the module of a command. Imports nothing."""
    *folder, module = entry[0].split(".")
    return PathFinder.find_spec(module, [os.path.join(_ROOT, *folder)]) is not None


def _keep_verbosity(context: click.Context, option: click.Parameter, is_given: bool) -> None:
    if is_given:
        from executor.cli.output import VERBOSITY  # noqa: PLC0415  # not for --help

        context.meta[VERBOSITY] = 1 if option.name == "verbose" else -1


def _print_version(context: click.Context, _option: click.Parameter, is_given: bool) -> None:
    if is_given:
        from schemas.version import VERSION  # noqa: PLC0415  # not for --help

        click.echo(f"lockstream, version {VERSION}")
        context.exit()


@click.group(
    cls=Program,
    help=_HELP,
    epilog=_EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_keep_verbosity,
    help="Print only results, warnings and errors.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_keep_verbosity,
    help="Print also which variables count, and the time and memory it took.",
)
def program() -> None:
    """Run the program; its text of ``--help`` is ``_HELP``."""
