"""Plan an installation where memory is plentiful, and execute it where memory is scarce.

This module is the program: the table of commands. A phase is imported when one of its commands
runs, so that ``execute`` neither requires nor pays for what only ``plan`` uses.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder

TYPE_CHECKING = False  # as in executor/budget/start.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any, NoReturn

NOT_ENOUGH, NOT_PERMITTED, INTERRUPTED = 7, 9, 130
"""Exit codes of an end in which what knows them could not be imported."""
NO_MEMORY = (
    "error: there is not enough memory to run\n"
    "hint: raise the memory limit (ulimit -v, ulimit -d, or that of the container)\n"
)

FAILURES = (ImportError, MemoryError, OSError, KeyboardInterrupt)  # of an import at the start

HERE = os.path.dirname(os.path.abspath(__file__))
ROOMS = frozenset({"schemas", "planner", "executor"})


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


def _claim_rooms() -> None:
    """Make the names of the rooms mean our packages for the rest of the process."""
    if not any(isinstance(finder, RoomFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, RoomFinder())
    for name, module in list(sys.modules.items()):
        # A .pth file of the user may have imported its own, which keeps its references.
        if name.partition(".")[0] in ROOMS and not _is_ours(module):
            del sys.modules[name]


def _is_ours(module: ModuleType) -> bool:
    return (getattr(module, "__file__", None) or "").startswith(os.path.join(HERE, ""))


def _check_memory() -> None:
    """Exit with a sentence if the memory limit is too small to import a command.

    Afterwards the names of the rooms are free again, as ``main`` expects them.
    """
    theirs = {name: sys.modules.pop(name) for name in _in_rooms()}
    sys.meta_path.insert(0, RoomFinder())
    try:
        shortage = import_module("executor.budget.start").shortage_at_start()
    except ModuleNotFoundError:  # POSIX has limits of memory
        return
    except FAILURES as error:
        _end_of_start(error)
    finally:
        del sys.meta_path[0]
        for name in _in_rooms():
            del sys.modules[name]
        sys.modules.update(theirs)
    if shortage:
        os.write(2, shortage.encode())
        sys.exit(NOT_ENOUGH)


def _end_of_start(error: BaseException) -> NoReturn:
    """Exit with a sentence, for one of ``FAILURES``."""
    number = getattr(error, "errno", None)
    text, status = NO_MEMORY, NOT_ENOUGH
    if number not in {None, errno.ENOMEM}:
        place = getattr(error, "filename", None) or "the system"
        remedy = "raise the limit of open files (ulimit -n)"
        if number not in {errno.EMFILE, errno.ENFILE}:  # files of others, a filter of system calls
            remedy, status = "let this user read it, or seccomp allow it", NOT_PERMITTED
        text = f"error: {place}: {os.strerror(number)}\nhint: to load the program, {remedy}\n"
    if isinstance(error, KeyboardInterrupt):
        text, status = "interrupted\n", INTERRUPTED
    os.write(2, text.encode(errors="backslashreplace"))
    sys.exit(status)


def _in_rooms() -> list[str]:
    """Return the names of the imported modules that are named like our rooms."""
    return [name for name in sys.modules if name.partition(".")[0] in ROOMS]


_check_memory()

try:
    gc.disable()  # what is imported stays
    from contextlib import closing, nullcontext, suppress
    from typing import NamedTuple

    import click
except FAILURES as failure:  # so under a small RLIMIT_AS
    if isinstance(failure, ModuleNotFoundError):
        raise
    _end_of_start(failure)
finally:
    gc.freeze()  # sets the counters back: enabled, Python would search all that was imported
    gc.unfreeze()
    gc.enable()

__all__ = ["COMMANDS", "main"]


class Entry(NamedTuple):
    """One command: its place, and its line in ``--help``, which is printed without loading it."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "plan": Entry("planner.cli.plan", "plan", "Resolve requirements, size wheels, write the lock."),
    "check": Entry("planner.cli.check", "check", "Check that a lock is up to date."),
    "show": Entry("planner.cli.show", "show", "Show what executing a lock takes, per target."),
    "diff": Entry("planner.cli.show", "diff", "Compare two locks in versions and cost."),
    "why": Entry("planner.cli.tree", "why", "Show which packages require a package of a lock."),
    "tree": Entry("planner.cli.tree", "tree", "Print the packages of a lock as a tree."),
    "enrich": Entry("planner.cli.enrich", "enrich", "Add sizes to a lock of another tool."),
    "builds": Entry("planner.cli.builds", "builds", "List the builds a lock leaves to others."),
    "build": Entry("planner.cli.build", "build", "Do one of these builds, and keep its wheel."),
    "init": Entry("planner.cli.init", "init", "Write files for a forge or a container."),
    "cache": Entry("planner.cli.cache", "cache", "Show or remove what plans keep of indexes."),
    "execute": Entry("executor.cli.execute", "execute", "Install a lock inside a memory budget."),
    "report": Entry("planner.cli.report", "report", "Show where a run's time and memory went."),
    "verify": Entry("executor.cli.verify", "verify", "Check that an environment matches its lock."),
    "key": Entry("executor.cli.key", "key", "Print a cache key of what would be installed."),
    "completion": Entry("executor.cli.completion", "completion", "Print a completion script."),
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
            from executor.cli.command_line import command_left_out, prepare  # noqa: PLC0415

            command: click.Command = getattr(import_module(entry.module), entry.attribute)
            prepare(command, name)
        except ModuleNotFoundError:
            if _is_here(entry):
                raise
            raise command_left_out(name) from None
        finally:
            gc.freeze()
            gc.enable()
        return command

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from executor.cli.command_line import check_words, unknown_command  # noqa: PLC0415

        if words[0] and words[0] not in COMMANDS and not words[0].startswith("-"):
            raise unknown_command(words[0], list(COMMANDS))
        found = super().resolve_command(context, words)
        if found[1] is not None and not context.resilient_parsing:
            check_words(words, found[1], list(COMMANDS))
        return found

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        # click would load every command for its summary.
        rows = [(name, entry.summary) for name, entry in COMMANDS.items() if _is_here(entry)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        if len(rows) < len(COMMANDS):
            formatter.write_paragraph()
            formatter.write_text("To plan: pipx install lockstream, or uv tool install lockstream.")


def _is_here(entry: Entry) -> bool:
    """Return whether this form of the program holds the module of a command. Imports nothing."""
    *folder, module = entry.module.split(".")
    return PathFinder.find_spec(module, [os.path.join(HERE, *folder)]) is not None


def _keep_verbosity(context: click.Context, option: click.Parameter, is_given: bool) -> None:
    if is_given:
        from executor.cli.output import VERBOSITY  # noqa: PLC0415

        context.meta[VERBOSITY] = 1 if option.name == "verbose" else -1


def _print_version(context: click.Context, _option: click.Parameter, is_given: bool) -> None:
    if is_given:
        from schemas.version import VERSION  # noqa: PLC0415

        click.echo(f"lockstream, version {VERSION}")
        context.exit()


@click.group(
    cls=Program,
    epilog=EXIT_CODES,
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
    help="As after the command.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=_keep_verbosity,
    help="As after the command.",
)
def program() -> None:
    """Install Python packages in two phases.

    Plan where memory is plentiful; execute in a container with little memory.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with ``arguments`` and return its exit status. With those of the process
    (None), end the process.
    """
    status = _run(arguments)
    if arguments is None:
        _leave(status)
    return status


def _run(arguments: Sequence[str] | None) -> int:
    try:
        _mend_streams()
        if not sys.executable:  # Python looks for itself on the PATH, and found nothing
            with suppress(OSError):
                sys.executable = os.readlink("/proc/self/exe")
        _claim_rooms()
        try:
            if "_LOCKSTREAM_COMPLETE" in os.environ and arguments is None:
                from executor.cli.completion import complete  # noqa: PLC0415

                complete(program, {name: entry.summary for name, entry in COMMANDS.items()})
                return 0
            # Not program.main(): it would exit with 1 if the reader of its output went away.
            words = list(sys.argv[1:] if arguments is None else arguments)
            early = _begin_early(words) if arguments is None else None
            waiting = closing(early) if early else nullcontext()
            with waiting, program.make_context("lockstream", words) as context:
                context.obj = early
                program.invoke(context)
            sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001  # every end has a status
            return _end(error)
        return 0
    except (ImportError, MemoryError):  # also while the end was reported
        os.write(2, NO_MEMORY.encode())
        return NOT_ENOUGH
    finally:
        # Python would search all objects for garbage before it ends: a fiftieth of a small run.
        gc.freeze()


def _begin_early(words: Sequence[str]) -> Any:
    """Begin what the command takes long for, before it is imported; return an ``EarlyDecision`` of
    ``executor.install.early``, or None.
    """
    if words[:1] != ["execute"]:
        return None
    gc.disable()  # until the command is imported
    from executor.install.early import begin_early  # noqa: PLC0415

    return begin_early(words)


def _leave(status: int) -> None:
    """End the process with ``status`` at once: Python would free every object first, a twentieth of
    a small run. Return if somebody measures the run, or threads have something to finish.
    """
    if sys.getprofile() or sys.gettrace():
        return
    if status <= 128 and _has_threads():
        return  # after a signal they wait for servers, and Python would wait for them
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _end(error: BaseException) -> int:
    """Print why the program ends, and return the exit status."""
    _drop_output()
    if isinstance(error.__cause__, KeyboardInterrupt):
        # Python up to 3.11 turns one that meets the body of a class into a RuntimeError.
        error = error.__cause__
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    try:
        from executor.budget.shortage import is_shortage  # noqa: PLC0415
        from executor.cli.ending import tell, tell_why  # noqa: PLC0415

        is_short = is_shortage(error)
    except Exception:  # noqa: BLE001  # an import fails in any way just below a limit
        with suppress(OSError):
            os.write(2, NO_MEMORY.encode())
        return NOT_ENOUGH
    if is_short:
        tell(NO_MEMORY)
        return NOT_ENOUGH
    return tell_why(error)


def _has_threads() -> bool:
    """Return whether Python would wait for a thread before it ends."""
    threading = sys.modules.get("threading")
    return threading is not None and sum(not one.daemon for one in threading.enumerate()) > 1


def _drop_output() -> None:
    """Make the flush at exit succeed if standard output cannot take what is left."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mend_streams() -> None:
    """Give the standard streams that are closed a place, and let them print any text."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
            if os.name == "posix":  # else what a pipe of Node.js does not take at once is lost
                os.set_blocking(descriptor, True)
        except OSError:
            # Else the next file that is opened would become a standard stream.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
