"""Plan an installation where memory is plentiful, and execute it where memory is scarce.

This module is the program: the table of commands, and the one place where errors become exit
codes. A phase is imported when one of its commands runs, so that ``execute`` neither requires nor
pays for what only ``plan`` uses.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import NamedTuple

import click

__all__ = ["COMMANDS", "main"]

HERE = os.path.dirname(os.path.abspath(__file__))
ROOMS = frozenset({"schemas", "planner", "executor"})

DEFECT = 70
"""Exit status of an unforeseen error (EX_SOFTWARE of sysexits.h). Python's own status for it is 1,
which would read as an answer."""
INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""
OUTPUT_CLOSED = 141
"""128 + SIGPIPE. The signal itself stays ignored; otherwise a closed connection would end the
program."""


class Entry(NamedTuple):
    """One command: its place, and its line in ``--help``, which is printed without loading it."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "plan": Entry(
        "planner.cli.plan", "plan", "Resolve requirements, size every wheel, write the lock."
    ),
    "check": Entry("planner.cli.check", "check", "Check that a lock is up to date."),
    "show": Entry("planner.cli.show", "show", "Show what executing a lock takes, per target."),
    "diff": Entry("planner.cli.show", "diff", "Compare two locks in versions and cost."),
    "why": Entry("planner.cli.tree", "why", "Show which packages require a package of a lock."),
    "tree": Entry("planner.cli.tree", "tree", "Print the packages of a lock as a tree."),
    "enrich": Entry("planner.cli.enrich", "enrich", "Add sizes to a lock of another tool."),
    "cache": Entry("planner.cli.cache", "cache", "Show or remove what plans keep of indexes."),
    "execute": Entry("executor.cli.execute", "execute", "Install a lock inside a memory budget."),
    "verify": Entry("executor.cli.verify", "verify", "Check that an environment matches its lock."),
}

EXIT_CODES = """\b
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
    """The command line, made from ``COMMANDS``; loads a command when it is called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if (entry := COMMANDS.get(name)) is None:
            return None
        # Imported modules stay, and searching them for garbage takes a tenth of the time.
        gc.disable()
        try:
            command: click.Command = getattr(import_module(entry.module), entry.attribute)
        finally:
            gc.freeze()
            gc.enable()
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        # click would load every command for its summary.
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


class RoomFinder:
    """Finds the rooms in the folder of this file, whatever else the import path holds.

    Users call their own modules ``schemas``, ``planner`` and ``executor`` too, and ``PYTHONPATH``
    and the working directory of ``python -m`` come before the installed program.
    """

    @staticmethod
    def find_spec(
        name: str, _path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [HERE], target) if name in ROOMS else None


@click.group(
    cls=Program,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="lockstream")
def program() -> None:
    """Install Python packages in two phases.

    Plan where memory is plentiful; execute in a container with little memory.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with ``arguments`` (None: those of the process); return its exit status."""
    _claim_rooms()
    # From here on the names of the rooms mean ours.
    from schemas.errors import ExitCode, Interrupted, LockstreamError  # noqa: PLC0415

    try:
        # Not program.main(): it would exit with 1 if the reader of its output went away.
        words = list(sys.argv[1:] if arguments is None else arguments)
        with program.make_context("lockstream", words) as context:
            program.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except LockstreamError as error:
        click.echo(f"error: {error}", err=True)
        if hint := "; ".join(filter(None, [error.hint, error.left])):
            click.echo(f"hint: {hint}", err=True)
        return error.exit_code
    except Interrupted as stop:
        click.echo(str(stop), err=True)
        return stop.exit_status
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Gives the flush at exit a place to write to:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUTPUT_CLOSED
    except Exception:  # noqa: BLE001  # the last resort, see DEFECT
        traceback.print_exc()
        return DEFECT
    finally:
        # The interpreter would search all objects for garbage before it ends: a fiftieth of the
        # time of a small installation.
        gc.freeze()
    return ExitCode.DONE


def _claim_rooms() -> None:
    """Make the names of the rooms mean our packages for the rest of the process."""
    if not any(isinstance(finder, RoomFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, RoomFinder())
    for name, module in list(sys.modules.items()):
        # A .pth file or sitecustomize of the user may have imported its own; that keeps its
        # references.
        if name.partition(".")[0] in ROOMS and not _is_ours(module):
            del sys.modules[name]


def _is_ours(module: ModuleType) -> bool:
    return (getattr(module, "__file__", None) or "").startswith(os.path.join(HERE, ""))


if __name__ == "__main__":
    sys.exit(main())
