"""Probe an interpreter for its target, its folders and its owner."""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import Any, Literal

from executor.environment.errors import InterpreterUnusable
from executor.environment.places import is_below
from executor.environment.probe import facts as own_facts
from executor.environment.schemes import Schemes
from executor.files.child_output import NoAnswer, TooMuchOutput, output_of
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.target import Target

__all__ = ["Interpreter", "Kind", "dangling", "probe"]


_PROBE_SECONDS = 60.0
"""Seconds after which an interpreter is given up: a network mount or a .pth file of it hangs."""


_NOT_FOUND = 127
"""The exit status of a shell, or of a shim of pyenv, that does not find a program."""


_OLDEST = (3, 8)


_SHORTAGES = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSYS}
"""Errors for which no interpreter is at fault: no process, file or memory is left, or a filter
refuses system calls."""


_MOVING_VARIABLES = {"PYTHONHOME", "PYTHONPLATLIBDIR"}
"""Variables that give a Python other folders than its own
(https://docs.python.org/3/using/cmdline.html), unless it is run with ``-I``."""


@frozen
class Interpreter:
    """A Python with the folders of the environment that it belongs to, or would belong to.

    An Environment owns it.
    """

    target: Target
    schemes: Schemes
    externally_managed: str | None
    """Path of the marker file that gives the environment to another package manager (PEP 668)."""


Kind = Literal["", "venv", "prefix", "target"]
"""The kind of an environment: the interpreter's own (empty), or a folder of this kind."""


def probe(executable: str, kind: Kind = "", folder: str = "") -> Interpreter:
    """Return what the interpreter ``executable`` says of itself.

    With a ``kind``, the paths are those of such an environment in ``folder``, an absolute path
    that need not exist.

    Raises InterpreterUnusable.
    """
    if kind == "venv" and _is_our_own(executable):
        return _interpreter(executable, own_facts(kind, folder))
    return _interpreter(executable, _facts_of(executable, kind, folder))


def _is_our_own(executable: str) -> bool:
    """Return whether ``executable`` is the running Python: then its answer is known without waiting
    40 ms for it, a fifth of the time until the first byte.
    """
    if not _MOVING_VARIABLES.isdisjoint(os.environ):
        return False
    return os.path.realpath(executable) == os.path.realpath(sys.executable)


def _facts_of(executable: str, kind: Kind, folder: str) -> dict[str, Any]:
    """Run the interpreter and return its facts. Raises InterpreterUnusable."""
    # -I ignores the working directory and the user's PYTHON* variables; -B writes no byte code of
    # what .pth files import. Both sides decode paths alike.
    utf8 = f"utf8={sys.flags.utf8_mode}"
    command = [executable, "-I", "-B", "-X", utf8, "-c", _probe_source(), kind, folder]
    try:
        run = output_of(command, _PROBE_SECONDS)
    except OSError as error:
        if error.errno in _SHORTAGES:
            raise
        raise _unrunnable(executable, folder if kind == "venv" else "", error) from None
    except NoAnswer:
        raise InterpreterUnusable(
            f"{executable}: did not answer within {_PROBE_SECONDS:.0f} seconds",
            hint="check for a network mount or a .pth file that hangs",
        ) from None
    except TooMuchOutput:
        raise _no_python(executable) from None
    if run.status != 0:
        said = run.errors.decode(errors="replace").strip().splitlines() or [""]
        # The reason is the end of a traceback, and the first line of a shell, such as a shim.
        reason = said[0 if run.status == _NOT_FOUND else -1].strip()
        raise InterpreterUnusable(
            f"{executable}: failed with exit status {run.status}: {reason}",
            hint="run it by hand to see why; lockstream installs for Python 3.8 and newer",
        )
    try:
        answers = [line for line in run.output.splitlines() if line.startswith(b'{"')]
        facts: dict[str, Any] = json.loads(answers[-1] if answers else b"")
    except ValueError:
        raise _no_python(executable) from None
    return facts


def _unrunnable(executable: str, venv: str, error: OSError) -> InterpreterUnusable:
    problem = os.strerror(error.errno or 0)
    if error.filename == os.devnull:
        return InterpreterUnusable(
            f"{executable}: cannot be run: {os.devnull}: {problem}",
            hint="mount /dev, as container engines do",
        )
    if error.errno == errno.ENOENT and os.path.exists(executable):
        problem = "the loader that it names, or the program in its first line, does not exist"
    elif error.errno == errno.ENOENT:
        problem = dangling(executable) or problem
    hint = "name an interpreter with --python, or an environment with --venv"
    if venv and is_below(executable, [venv]):
        hint = f"remove {venv}: lockstream execute makes it anew; or name another with --venv"
    return InterpreterUnusable(f"{executable}: cannot be run: {problem}", hint=hint)


def dangling(path: str) -> str:
    """Return where a link at ``path`` leads if nothing is there; empty if something is, or if
    ``path`` is not a link.
    """
    if os.path.islink(path) and not os.path.exists(path):
        return f"it leads to {os.path.realpath(path)}, which does not exist"
    return ""


def _no_python(executable: str) -> InterpreterUnusable:
    return InterpreterUnusable(
        f"{executable}: does not answer as Python does",
        hint="name a Python interpreter, or a wrapper that hands on all its arguments",
    )


def _interpreter(executable: str, facts: dict[str, Any]) -> Interpreter:
    try:
        target = Target.from_facts(
            facts["environment"], platform=facts["platform"], abis=facts["abis"]
        )
        release = _release(target)
    except ValueError as error:
        raise InterpreterUnusable(
            f"{executable}: {error}", hint="lockstream installs for released versions of Python"
        ) from None
    except UsageError:
        raise InterpreterUnusable(
            f"{executable} is for {facts['platform']!r}, which no wheels are built for",
            hint="lockstream installs on Linux, macOS and Windows",
        ) from None
    if release < _OLDEST:
        raise InterpreterUnusable(
            f"{executable} is Python {target.environment['python_full_version']}",
            hint="lockstream installs for Python 3.8 and newer",
        )
    return Interpreter(target, Schemes(**facts["paths"]), facts["externally_managed"])


def _release(target: Target) -> tuple[int, ...]:
    """Return the first two numbers of a Python's version. Raises ValueError if it is not one."""
    full = target.environment["python_full_version"]
    if full.replace(".", "").isdigit():  # packaging need not be imported
        return tuple(int(part) for part in full.split(".")[:2])
    return target.python_version.release[:2]


def _probe_source() -> str:
    from importlib.util import find_spec  # noqa: PLC0415  # rarely needed

    # Through the loader, so that it is found in a zipapp too.
    spec = find_spec("executor.environment.probe")
    source = spec.loader.get_source(spec.name) if spec and spec.loader else None  # type: ignore[attr-defined]
    return str(source)
