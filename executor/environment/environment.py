"""An environment that packages are installed into; a virtual one is made if it is absent."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TypeAlias

from executor.environment.errors import EnvironmentBusy, ExternallyManaged, InterpreterUnusable
from executor.environment.interpreter import Interpreter, dangling, probe
from executor.environment.relocatable import is_relocatable, make_relocatable
from executor.environment.schemes import STAGING
from executor.files.folders import made_folder
from executor.files.held_folder import HeldFolder
from executor.files.locks import try_lock
from executor.files.regular import read_regular
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.target import Target

__all__ = ["Environment", "PathName"]


PathName: TypeAlias = "str | os.PathLike[str]"
"""A path, as callers of the library have it."""


_LAUNCHERS = {"win_amd64": "win-amd64", "win32": "win-ia32", "win_arm64": "win-arm64"}
"""The kinds of launchers in the ``installer`` library, by platform."""


_UNSETTLED = ".lockstream-unsettled"
"""The file that marks a virtual environment as unfinished: it is being made, or was when its maker
was killed. It holds the numbers of the folder and of itself, which a checkout cannot know."""


_MADE = frozenset({
    _UNSETTLED, "bin", "include", "lib", "lib64", "pyvenv.cfg", ".gitignore", "Include", "Lib",
    "Scripts",
})  # fmt: skip
"""What an unfinished environment can hold (https://docs.python.org/3/library/venv.html)."""


@frozen
class Environment:
    """An environment, present or still to be made. The caller of an execution owns it."""

    path: str
    """Absolute path that messages name it by."""
    interpreter: Interpreter
    exists: bool
    base: str = ""
    """The interpreter that makes it if it is absent."""
    relocatable: bool = False
    """Whether it is made so that it may be moved."""

    @classmethod
    def venv(
        cls, path: PathName, executable: PathName | None = None, *, relocatable: bool = False
    ) -> Environment:
        """Return the virtual environment at ``path``. If it is ``relocatable``, it runs wherever it
        is moved to; one that was made so stays so.

        If it is absent, it will be made for the interpreter ``executable`` (None: the running one).
        If it is present and an interpreter is named, both must have the same version of Python.
        Raises UsageError if they have not, if the folder is something else, or if it is present and
        not ``relocatable``; and InterpreterUnusable.
        """
        path = os.path.abspath(path)
        base = _find_program(executable or sys.executable)
        is_unfinished = _is_unfinished(path)
        settings = os.path.join(path, "pyvenv.cfg")
        if not is_unfinished and os.path.exists(settings):
            if not os.path.isfile(settings):
                # Its interpreter would wait for a pipe for ever.
                raise UsageError(
                    f"{settings} is not a file",
                    hint="name another folder with --venv, or remove this one",
                )
            found = probe(_python_of(path), "venv", path)
            if executable is not None:
                _check_same_python(path, found.target, probe(base).target)
            if is_relocatable(path):
                return cls(path, _relocatable(found), exists=True)
            if relocatable:
                raise UsageError(
                    f"{path} was not made relocatable",
                    hint="name another folder with --venv, or remove this one",
                )
            return cls(path, found, exists=True)
        if not is_unfinished and os.path.lexists(path) and not _is_empty(path):
            raise UsageError(
                f"{path} exists and is not a virtual environment (it has no pyvenv.cfg)",
                hint="name another folder with --venv, or remove this one",
            )
        interpreter = probe(base, "venv", path)
        if relocatable:
            interpreter = _relocatable(interpreter)
        return cls(path, interpreter, exists=False, base=base, relocatable=relocatable)

    @classmethod
    def of_python(cls, executable: PathName, *, break_system: bool = False) -> Environment:
        """Return the environment that the interpreter ``executable`` belongs to.

        Raises InterpreterUnusable, and ExternallyManaged if it belongs to another package manager
        (PEP 668) and ``break_system`` is not given.
        """
        found = _find_program(executable)
        interpreter = probe(found)
        if interpreter.externally_managed is not None and not break_system:
            raise ExternallyManaged(_reason(found, interpreter.externally_managed))
        return cls(os.path.abspath(found), interpreter, exists=True)

    @classmethod
    def prefix(cls, path: PathName, executable: PathName | None = None) -> Environment:
        """Return the folder ``path`` as an environment laid out like a Python below its prefix.

        ``executable`` is its interpreter (None: the running one). Raises InterpreterUnusable.
        """
        path = os.path.abspath(path)
        python = _find_program(executable or sys.executable)
        return cls(path, probe(python, "prefix", path), exists=True)

    @classmethod
    def target(
        cls,
        path: PathName,
        executable: PathName | None = None,
        *,
        python_version: str | None = None,
        platform: str | None = None,
        relocatable: bool = False,
    ) -> Environment:
        """Return the folder ``path`` as an environment with packages directly in it.

        It is for PYTHONPATH, and may be for another machine, of another ``python_version`` or
        ``platform``; the interpreter ``executable`` (None: the running one) supplies what is not
        named. If it is ``relocatable``, commands find the interpreter in the PATH, as those for
        another machine do. Raises UsageError and InterpreterUnusable.
        """
        path = os.path.abspath(path)
        interpreter = probe(_find_program(executable or sys.executable), "target", path)
        if python_version is None and platform is None:
            if relocatable:
                name = f"/usr/bin/env {interpreter.target.command}"
                schemes = replace(interpreter.schemes, script_python=name)
                interpreter = replace(interpreter, schemes=schemes)
            return cls(path, interpreter, exists=True)
        own = interpreter.target
        target = Target.named(
            python_version or own.python_name.replace("+", ""), platform or own.platform
        )
        # The interpreter is found on the machine that the folder is for.
        python = f"/usr/bin/env {target.command}"
        launcher = _LAUNCHERS.get(target.platform)
        schemes = replace(
            interpreter.schemes,
            executable="python.exe" if launcher else python,
            launcher=launcher,
        )
        return cls(path, Interpreter(target, schemes, None), exists=True)

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make the environment if it is absent. If the body fails, remove it again, unless wheels
        in it wait for the next run.

        Until ``settled`` it counts as absent, in case the process is killed. Raises
        InterpreterUnusable if it cannot be made, and EnvironmentBusy if another process makes it.
        """
        if self.exists:
            yield
            return
        with made_folder(self.path), _locked(self.path) as folder:
            if not _is_unfinished(self.path) and not _is_empty(self.path):
                raise EnvironmentBusy(self.path)
            try:
                _clear(folder)
                _mark_unfinished(folder)
                from executor.environment.new_venv import make_venv  # noqa: PLC0415  # 2 ms

                make_venv(self.base, self.path)
                if self.relocatable:
                    make_relocatable(self.path)
                yield
                self.settled()
            except BaseException:
                if not os.path.isdir(os.path.join(self.interpreter.schemes.purelib, STAGING)):
                    _clear(folder)
                raise

    def settled(self) -> None:
        """Record that the environment is complete. From here on the journal's lock guards it."""
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self.path, _UNSETTLED))


def _relocatable(interpreter: Interpreter) -> Interpreter:
    schemes = interpreter.schemes
    name = os.path.basename(schemes.executable)
    return replace(interpreter, schemes=replace(schemes, script_python=name))


@contextmanager
def _locked(path: str) -> Iterator[HeldFolder]:
    """Yield the folder at ``path``, which may be a link to it, open and kept from others."""
    with HeldFolder.at(os.path.realpath(path)) as folder:
        if not try_lock(folder.descriptor):
            raise EnvironmentBusy(path)
        yield folder


def _mark_unfinished(folder: HeldFolder) -> None:
    """Mark an empty folder as an environment that is being made. Raises OSError."""
    with folder.create(_UNSETTLED, 0o644) as mark:
        numbers = os.fstat(folder.descriptor).st_ino, os.fstat(mark.fileno()).st_ino
        mark.write(_spelled(*numbers))


def _is_unfinished(folder: str) -> bool:
    """Return whether a run has begun to make an environment here, and nothing else is in it."""
    try:
        mark = read_regular(os.path.join(folder, _UNSETTLED), 100)
        numbers = os.stat(folder).st_ino, os.lstat(os.path.join(folder, _UNSETTLED)).st_ino
        return mark == _spelled(*numbers) and _MADE.issuperset(os.listdir(folder))
    except OSError:
        return False


def _is_empty(folder: str) -> bool:
    """Return whether a folder holds nothing but a mark, which a kill may have left unwritten."""
    return os.path.isdir(folder) and {_UNSETTLED}.issuperset(os.listdir(folder))


def _spelled(folder: int, mark: int) -> bytes:
    """Return what the mark of an unfinished environment holds: the numbers of both."""
    return b"%d:%d" % (folder, mark)


def _clear(folder: HeldFolder) -> None:
    """Remove the contents of ``folder``; the unfinished mark goes last."""
    for name in sorted(folder.names(), key=_UNSETTLED.__eq__):
        with suppress(OSError):
            folder.remove(name)


def _find_program(executable: PathName) -> str:
    """Return the path of a program. As uv has it, ``3.12`` is ``python3.12``, and a folder is the
    environment there. Raises InterpreterUnusable if the program does not exist or is out of reach.
    """
    name = os.fspath(executable)
    if name.replace(".", "").isdecimal():
        name = f"python{name}"
    found = _program(name)
    if found is None and os.path.isdir(name):
        found = _program(_python_of(name))
    if found is None:
        _check_reachable(name)
        problem, hint = dangling(name) or "no such program", "name it with its path"
        if os.path.dirname(name):
            hint = "name a Python that exists, or its version, such as 3.12"
        raise InterpreterUnusable(f"{name}: {problem}", hint=hint)
    return found


def _check_reachable(path: str) -> None:
    """Raise InterpreterUnusable if this user may not know whether there is something."""
    try:
        os.stat(path)
    except PermissionError as error:
        raise InterpreterUnusable(
            f"{path}: cannot be reached: {os.strerror(error.errno or 0)}",
            hint="let this user enter the folders that lead to it, or name another interpreter",
        ) from None
    except OSError:
        pass


def _program(name: str) -> str | None:
    """Return the path of a program, of which a name without a folder is searched for; or None."""
    if os.path.dirname(name):
        return name if os.path.isfile(name) else None
    import shutil  # noqa: PLC0415  # it loads every archive format, and few name a program so

    return shutil.which(name)


def _python_of(venv: str) -> str:
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(venv, folder, name)


def _check_same_python(path: str, found: Target, named: Target) -> None:
    present, expected = (target.environment["python_version"] for target in (found, named))
    if present != expected:
        raise UsageError(
            f"{path} is an environment of Python {present}, --python names Python {expected}",
            hint="leave --python out, or name another folder with --venv",
        )


def _reason(executable: str, marker: str) -> str:
    """Return the text of ExternallyManaged. PEP 668 requires installers to print the ``Error`` of
    the marker file, in the user's language.
    """
    import configparser  # noqa: PLC0415  # on this path only
    import locale  # noqa: PLC0415

    parser = configparser.ConfigParser(interpolation=None)
    with suppress(configparser.Error, OSError, UnicodeDecodeError):
        parser.read(marker, encoding="utf-8")
    language = locale.getlocale()[0] or ""
    if parser.has_section("externally-managed"):
        section = parser["externally-managed"]
        for key in (f"Error-{language}", f"Error-{language.partition('_')[0]}", "Error"):
            if key in section:
                return f"{executable} is externally managed:\n{section[key]}"
    return f"{executable} is externally managed (PEP 668)"
