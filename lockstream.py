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
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader

TYPE_CHECKING = False  # as in executor/budget/start.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

    import click

USAGE, NOT_ENOUGH, NOT_PERMITTED, INTERRUPTED = 2, 7, 9, 130
"""Exit codes of an end in which what knows them could not be imported."""
NO_MEMORY = (
    "error: there is not enough memory to run\n"
    "hint: raise the memory limit (ulimit -v, ulimit -d, or that of the container)\n"
)

FAILURES = (ImportError, MemoryError, OSError, EOFError, KeyboardInterrupt)
"""Of an import at the start; EOFError is of damaged byte code."""

HERE = os.path.dirname(os.path.abspath(__file__))
ROOMS = frozenset({"schemas", "planner", "executor"})

_ours: dict[str, ModuleType] = {}
"""What was imported of the rooms to check the memory, until their names are claimed."""


class RoomFinder:
    """Finds the rooms in the folder of this file, whatever else the import path holds.

    Users call their own modules ``schemas``, ``planner`` and ``executor`` too, and ``PYTHONPATH``
    and the working directory of ``python -m`` come before the installed program.
    """

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        above, _, own = name.rpartition(".")
        if name.partition(".")[0] not in ROOMS:
            return None
        if above and path:
            # Python asks three more finders, and looks for four other kinds of file first: 14 us
            # for each of some 200 modules.
            place = os.path.join(path[0], f"{own}.py")
            if os.path.isfile(place):
                spec = ModuleSpec(name, SourceFileLoader(name, place), origin=place)
                spec.has_location = True
                return spec
        return PathFinder.find_spec(name, path if above else [HERE], target)


def _claim_rooms() -> None:
    """Make the names of the rooms mean our packages for the rest of the process."""
    if not any(isinstance(finder, RoomFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, RoomFinder())
    for name, module in list(sys.modules.items()):
        # A .pth file of the user may have imported its own, which keeps its references.
        if name.partition(".")[0] in ROOMS and not _is_ours(module):
            del sys.modules[name]
    for name, module in _ours.items():
        sys.modules.setdefault(name, module)
    _ours.clear()


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
        sys.exit(_end_of_start(error))
    finally:
        del sys.meta_path[0]
        _ours.update((name, sys.modules.pop(name)) for name in _in_rooms())
        sys.modules.update(theirs)
    if shortage:
        os.write(2, shortage.encode())
        sys.exit(NOT_ENOUGH)


def _end_of_start(error: BaseException) -> int:
    """Print why what the program needs could not be imported, for one of ``FAILURES``, and return
    the exit status.
    """
    number = getattr(error, "errno", None)
    text, status = NO_MEMORY, NOT_ENOUGH
    if isinstance(error, ImportError) and not _is_short(error):
        text, status = _unfit(error), USAGE
    if number not in {None, errno.ENOMEM}:
        place = getattr(error, "filename", None) or "the system"
        remedy = "raise the limit of open files (ulimit -n)"
        if number not in {errno.EMFILE, errno.ENFILE}:  # files of others, a filter of system calls
            remedy, status = "let this user read it, or seccomp allow it", NOT_PERMITTED
        text = f"error: {place}: {os.strerror(number)}\nhint: to load the program, {remedy}\n"
    if damaged := _damaged(error):
        text, status = damaged, USAGE
    if isinstance(error, KeyboardInterrupt):
        text, status = "interrupted\n", INTERRUPTED
    os.write(2, text.encode(errors="backslashreplace"))
    return status


def _unfit(error: ImportError) -> str:
    """Return the text of the end of a program that was not installed for this Python."""
    return (
        f"error: Python {sys.version.split()[0]} ({sys.executable}) cannot load lockstream: "
        f"{error}\n"
        "hint: it needs Python 3.11 or newer, and what it requires installed for that Python and "
        "hidden by no other module: pipx install lockstream, or uv tool install lockstream\n"
    )


def _damaged(error: BaseException) -> str:
    """Return the text of the end of a program whose byte code is damaged; empty if it is not.

    Python writes what a full disk or ``ulimit -f`` lets it write of a file of byte code, and
    takes that for a whole one ever after (https://github.com/python/cpython/issues/126606).
    """
    if "marshal data" not in str(error) and "EOF read where" not in str(error):
        return ""
    place, trace = "", error.__traceback__
    while trace is not None:
        # A local name of SourceLoader.get_code. No part of the error names the file.
        place = trace.tb_frame.f_locals.get("bytecode_path") or place
        trace = trace.tb_next
    remedy = f"delete {place}" if place else "set PYTHONPYCACHEPREFIX to an empty folder"
    if place.startswith(HERE):
        remedy = f"delete the folders __pycache__ below {HERE}"  # others may be damaged, too
    return (
        f"error: {place or 'a file of byte code'}: it is damaged, as a full disk leaves it "
        f"({error})\nhint: {remedy}: Python makes byte code again from its source\n"
    )


def _is_short(error: BaseException) -> bool:
    """Return whether ``error`` is a lack of memory; so are all errors if that cannot be told."""
    try:
        from executor.budget.shortage import is_shortage  # noqa: PLC0415  # an error
    except Exception:  # noqa: BLE001  # an import fails in any way just below a limit
        return True
    return is_shortage(error)


def _in_rooms() -> list[str]:
    """Return the names of the imported modules that are named like our rooms."""
    return [name for name in sys.modules if name.partition(".")[0] in ROOMS]


_check_memory()

try:
    gc.disable()  # what is imported stays
    from contextlib import closing, nullcontext, suppress
    from typing import NamedTuple
except FAILURES as failure:  # so under a small RLIMIT_AS
    sys.exit(_end_of_start(failure))
finally:
    gc.freeze()  # sets the counters back: enabled, Python would search all that was imported
    gc.unfreeze()
    gc.enable()

__all__ = ["COMMANDS", "main", "program"]


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
    "outdated": Entry(
        "planner.cli.outdated", "outdated", "Show which packages have newer versions."
    ),
    "audit": Entry("planner.cli.audit", "audit", "Check for known vulnerabilities."),
    "why": Entry("planner.cli.tree", "why", "Show which packages require a package of a lock."),
    "tree": Entry("planner.cli.tree", "tree", "Print the packages of a lock as a tree."),
    "enrich": Entry("planner.cli.enrich", "enrich", "Add sizes to a lock of another tool."),
    "subset": Entry("planner.cli.subset", "subset", "Write a part of a lock as a lock."),
    "export": Entry("planner.cli.export", "export", "Write a lock as other tools read it."),
    "builds": Entry("planner.cli.builds", "builds", "List the builds a lock leaves to others."),
    "build": Entry("planner.cli.build", "build", "Do one of these builds, and keep its wheel."),
    "merge": Entry("planner.cli.merge", "merge", "Merge two versions of a lock, as git does it."),
    "init": Entry("planner.cli.init", "init", "Write files for a forge, a container or git."),
    "cache": Entry("planner.cli.cache", "cache", "Show or remove what plans keep of indexes."),
    "execute": Entry("executor.cli.execute", "execute", "Install a lock inside a memory budget."),
    "report": Entry("planner.cli.report", "report", "Show where a run's time and memory went."),
    "fetch": Entry("executor.cli.fetch", "fetch", "Put the files of a lock into a folder."),
    "bundle": Entry("executor.cli.bundle", "bundle", "Put a lock and its files into one archive."),
    "verify": Entry("executor.cli.verify", "verify", "Check that an environment matches its lock."),
    "key": Entry("executor.cli.key", "key", "Print a cache key of what would be installed."),
    "completion": Entry("executor.cli.completion", "completion", "Print a completion script."),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program with ``arguments`` and return its exit status. With those of the process
    (None), end the process.
    """
    status = _run(arguments)
    if arguments is None:
        _leave(status)
    return status


def program() -> click.Group:
    """Return the command line, which is imported with click."""
    gc.disable()  # what is imported stays
    try:
        from executor.cli.program import program as group  # noqa: PLC0415
    finally:
        gc.freeze()  # as above
        gc.unfreeze()
        gc.enable()
    group.entries = COMMANDS
    return group


def _run(arguments: Sequence[str] | None) -> int:
    try:
        _mend_streams()
        if not sys.executable:  # Python looks for itself on the PATH, and found nothing
            with suppress(OSError):
                sys.executable = os.readlink("/proc/self/exe")
        _claim_rooms()
        try:
            words = list(sys.argv[1:] if arguments is None else arguments)
            early = _begin_early(words) if arguments is None else None
            with closing(early) if early else nullcontext():
                _call(program(), words, early, completes=arguments is None)
            sys.stdout.flush()
        except BaseException as error:  # noqa: BLE001  # every end has a status
            return _end(error)
        return 0
    except KeyboardInterrupt:  # another one, while the end was reported
        return INTERRUPTED
    except (ImportError, MemoryError):  # also while the end was reported
        os.write(2, NO_MEMORY.encode())
        return NOT_ENOUGH
    finally:
        # Python would search all objects for garbage before it ends: a fiftieth of a small run.
        gc.freeze()


def _call(group: click.Group, words: list[str], early: Any, *, completes: bool) -> None:
    """Run the command line, or print completions if a shell asks for them."""
    if completes and "_LOCKSTREAM_COMPLETE" in os.environ:
        from executor.cli.completion import complete  # noqa: PLC0415

        complete(group, {name: entry.summary for name, entry in COMMANDS.items()})
        return
    # Not group.main(): it would exit with 1 if the reader of its output went away.
    with group.make_context("lockstream", words) as context:
        context.obj = early
        group.invoke(context)


def _begin_early(words: Sequence[str]) -> Any:
    """Begin what the command takes long for, before it and click are imported; return an
    ``EarlyDecision`` of ``executor.install.early``, or None.
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
    unloaded = "executor.cli.program" not in sys.modules
    if unloaded and isinstance(error, FAILURES):
        return _end_of_start(error)
    try:
        from click.exceptions import Exit  # noqa: PLC0415

        if isinstance(error, Exit):
            return error.exit_code
        from executor.cli.ending import tell, tell_why  # noqa: PLC0415

        is_short = _is_short(error)
    except Exception as failure:  # noqa: BLE001  # an import fails in any way just below a limit
        return _end_of_start(failure)
    if is_short:
        tell(NO_MEMORY)
        return NOT_ENOUGH
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] not in ROOMS:
        tell(_unfit(error))
        return USAGE
    if damaged := _damaged(error):
        tell(damaged)
        return USAGE
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
