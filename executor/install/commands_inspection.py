"""Look at the commands of an environment: what runs them, what they call, and whose they are."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import chain

from executor.environment.drift import Drift
from executor.environment.installed import Installed
from executor.environment.places import Places
from executor.environment.schemes import Schemes
from executor.files.file_digest import digest_file
from executor.files.path_set import PathSet
from executor.files.regular import read_input, read_regular
from executor.wheels.scripts import EntryPoint, read_entry_points, shebang

__all__ = ["files_of", "inspect_commands", "is_interpreter", "is_same_program"]


_MAX_LAUNCHER = 64 << 10
"""Bytes of a launcher; ours have some hundred."""


_OF_VENVS = frozenset({
    "activate", "activate.bat", "activate.csh", "activate.fish", "activate.nu", "activate.ps1",
    "activate.xsh", "activate_this.py", "deactivate.bat", "deactivate.csh", "deactivate.nu",
    "pydoc.bat",
})  # fmt: skip
"""What tools put next to the interpreter of an environment, in lower case."""


_INTERPRETER = re.compile(
    r"(?:python|pypy)[\d.]*[td]?|pythonw|\N{MATHEMATICAL ITALIC SMALL PI}thon"
)
"""Names of the interpreter. The last is a link to it that the venv of Python 3.14 makes."""


_PYTHON = re.compile(rb"#!(?P<folder>.*)/(?:python|pypy)[\d.]*t?")


def inspect_commands(
    schemes: Schemes, names: Collection[str], installed: Collection[Installed]
) -> Iterator[Drift]:
    """Yield the commands of an environment that are not what they should be.

    ``names`` are the normalized names of the packages whose launchers are compared, ``installed``
    is all that is there.
    """
    if schemes.launcher is None:
        for found in installed:
            if found.name in names:
                yield from _launchers(found, schemes)
    yield from _commands(schemes, installed)


def files_of(found: Installed) -> Iterator[str]:
    """Yield the absolute paths of the files of a distribution, as far as RECORD can be read."""
    with suppress(Exception):  # a damaged RECORD is a difference of its own
        yield from found.files()


def _launchers(found: Installed, schemes: Schemes) -> Iterator[Drift]:
    """Yield the commands of a distribution that do not run what its entry points say."""
    try:
        text = read_input(os.path.join(found.path, "entry_points.txt")).decode()
        # A command that is listed twice, in two groups, runs the later one.
        entry_points = {entry.name: entry for entry in read_entry_points(text)}
    except (FileNotFoundError, NotADirectoryError):
        return  # an egg-info may be a file
    except (OSError, ValueError) as error:
        path = os.path.join(found.path, "entry_points.txt")
        yield Drift("changed", found.name, path, f"it cannot be read: {error}")
        return
    for entry_point in entry_points.values():
        path = os.path.join(schemes.scripts, entry_point.name)
        try:
            content = read_regular(path, _MAX_LAUNCHER, follow=True)
        except FileNotFoundError:
            continue  # RECORD says whether it has to be there
        except OSError as error:
            yield Drift("changed", found.name, path, error.strerror or str(error))
            continue
        if not stat.S_IMODE(os.stat(path).st_mode) & 0o111:
            yield Drift("changed", found.name, path, "it cannot be run: no one has the right to")
        if not _is_of_environment(content, schemes):
            first = content.partition(b"\n")[0][:200].decode(errors="replace")
            yield Drift("changed", found.name, path, f"another interpreter runs it: {first!r}")
        elif not _calls(content, entry_point):
            target = f"{entry_point.module}:{entry_point.attribute}"
            yield Drift("changed", found.name, path, f"it does not call {target}")


def _is_of_environment(content: bytes, schemes: Schemes) -> bool:
    """Return whether the first lines of a script name the interpreter of the environment."""
    if content.startswith(shebang(schemes.executable)):
        return True
    if content.startswith(b"#!/bin/sh\n"):
        line = content.split(b"\n", 2)[1]
        return line.startswith(b"'''exec' ") and (
            os.fsencode(schemes.scripts) in line or b"dirname" in line
        )
    named = _PYTHON.match(content)
    return named is not None and os.path.realpath(os.fsdecode(named["folder"])) in {
        os.path.realpath(schemes.scripts),
        os.path.realpath(os.path.dirname(schemes.executable)),
    }


def _calls(content: bytes, entry_point: EntryPoint) -> bool:
    """Return whether a launcher of any installer calls an entry point."""
    first = entry_point.attribute.partition(".")[0]
    line = f"from {entry_point.module} import {first}".encode()
    # Old ones of setuptools look the entry point up by its name.
    is_old = b"load_entry_point" in content and entry_point.name.encode() in content
    return is_old or any(one.strip() == line for one in content.splitlines())


def _commands(schemes: Schemes, installed: Collection[Installed]) -> Iterator[Drift]:
    """Yield the commands of an environment of its own that no installed package owns, that are
    links, or that are interpreters besides its own; and what else is in their folder.
    """
    is_venv = os.path.isfile(os.path.join(schemes.data, "pyvenv.cfg"))
    if not (is_venv or schemes.purelib == schemes.data) or not os.path.isdir(schemes.scripts):
        return
    top = schemes.scripts
    places = Places()
    owned = PathSet(
        places.key(path)
        for path in chain.from_iterable(map(files_of, installed))
        if path.startswith(top + os.sep)
    )
    for path in _files_below(top, is_deep=is_venv):
        name = os.path.relpath(path, top)
        if is_venv and is_interpreter(name):
            if not is_same_program(path, os.path.join(top, "python")):
                detail = f"it is another program than {os.path.join(top, 'python')}"
                yield Drift("changed", "", path, detail)
        elif not (is_venv and name.lower() in _OF_VENVS) and places.key(path) not in owned:
            yield Drift("extra", "", path, "no installed package owns it")
        elif os.path.islink(path):
            detail = f"it is a link to {os.path.realpath(path)}"
            yield Drift("extra", "", path, f"{detail}, which no RECORD speaks of")


def _files_below(top: str, *, is_deep: bool) -> Iterator[str]:
    """Yield the files in the folder ``top`` and, if ``is_deep``, below it: links count as files,
    and byte code is passed over.
    """
    for folder, names, files in os.walk(top):
        links = [name for name in names if os.path.islink(os.path.join(folder, name))]
        for name in sorted([*files, *links]):
            yield os.path.join(folder, name)
        names[:] = sorted(name for name in names if name != "__pycache__") if is_deep else []


def is_interpreter(name: str) -> bool:
    """Return whether a file name is one of those that the interpreter has."""
    return _INTERPRETER.fullmatch(name) is not None


def is_same_program(path: str, python: str) -> bool:
    """Return whether two paths lead to one file, or to copies of it."""
    try:
        if os.path.samefile(path, python):
            return True
        if not os.path.isfile(path) or os.path.getsize(path) != os.path.getsize(python):
            return False
        return digest_file(path, "sha256") == digest_file(python, "sha256")
    except OSError:
        return False
