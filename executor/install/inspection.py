"""Look for what runs in an environment, or may be changed there, though no RECORD speaks of it.

Links, commands, the settings of a virtual environment, byte code and modes. It reads only files of
the environment; docs/threats.md says what it cannot see.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import chain

from executor.environment.drift import Drift
from executor.environment.installed import Installed, installed_in
from executor.environment.places import Places
from executor.environment.schemes import STAGING, Schemes
from executor.files.path_set import PathSet
from executor.files.regular import open_regular, read_input, read_regular
from executor.wheels.scripts import (
    EntryPoint,
    InvalidEntryPoint,
    check_replaces_nothing,
    read_entry_points,
    shebang,
)

__all__ = ["inspect"]


_MAX_LAUNCHER = 64 << 10
"""Bytes of a launcher; ours have some hundred."""


_OF_VENVS = frozenset({"pydoc.bat", "\N{MATHEMATICAL ITALIC SMALL PI}thon"})
"""Commands that tools put into environments, besides interpreters and ``activate``. The last is a
link to the interpreter that the venv of Python 3.14 makes."""


_PYTHON = re.compile(rb"#!(?P<folder>.*)/(?:python|pypy)[\d.]*t?")


_PYC_HEADER = 16
"""Bytes of magic number, flags, and time and size or hash of the source (PEP 552)."""


def inspect(schemes: Schemes, names: Collection[str]) -> Iterator[Drift]:
    """Yield what a lock and its RECORDs do not answer for in the environment of ``schemes``.

    ``names`` are the normalized names of the packages whose commands are compared.
    """
    installed = list(installed_in(schemes.packages))
    yield from _settings(schemes)
    for folder in schemes.packages:
        yield from _virtualenv(folder)
    if schemes.launcher is None:
        for found in installed:
            if found.name in names:
                yield from _launchers(found, schemes)
    yield from _commands(schemes, installed)
    for folder in {*schemes.packages, schemes.scripts}:
        yield from _entries(folder, is_packages=folder != schemes.scripts)


def _settings(schemes: Schemes) -> Iterator[Drift]:
    """Yield what the settings of a virtual environment change."""
    path = os.path.join(schemes.data, "pyvenv.cfg")
    if not os.path.lexists(path):
        return
    try:
        lines = read_input(path).decode(errors="replace").splitlines()
    except OSError as error:
        yield Drift("changed", "", path, error.strerror or str(error))
        return
    facts = {
        key.strip().lower(): value.strip()
        for key, equals, value in (line.partition("=") for line in lines)
        if equals
    }
    if facts.get("include-system-site-packages", "").lower() == "true":
        detail = "packages of the base interpreter can be imported too"
        yield Drift("changed", "", path, f"include-system-site-packages: {detail}")
    python = os.path.join(schemes.scripts, "python")
    home = facts.get("home", "")
    if os.path.islink(python) and os.path.realpath(home) not in _homes(python):
        detail = f"home is {home!r}, and {python} leads to {os.path.realpath(python)}"
        yield Drift("changed", "", path, detail)
    with suppress(OSError), open_regular(python) as file:
        if file.read(2) == b"#!":
            yield Drift("changed", "", python, "it is a script, not an interpreter")


def _virtualenv(folder: str) -> Iterator[Drift]:
    """Yield the file of virtualenv that runs at every start, if it is another one."""
    path = os.path.join(folder, "_virtualenv.pth")
    if os.path.lexists(path):
        try:
            is_known = read_regular(path, 100).strip() in {b"", b"import _virtualenv"}
        except OSError:
            is_known = False
        if not is_known:
            yield Drift("changed", "", path, "it is not the file that virtualenv and uv write")


def _homes(python: str) -> set[str]:
    """Return the real folders of all programs that the link ``python`` leads to."""
    homes = {os.path.dirname(os.path.realpath(python))}
    while os.path.islink(python) and len(homes) < 10:
        python = os.path.join(os.path.dirname(python), os.readlink(python))
        homes.add(os.path.realpath(os.path.dirname(python)))
    return homes


def _launchers(found: Installed, schemes: Schemes) -> Iterator[Drift]:
    """Yield the commands of a distribution that do not run what its entry points say."""
    try:
        text = read_input(os.path.join(found.path, "entry_points.txt")).decode()
        entry_points = list(read_entry_points(text))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        path = os.path.join(found.path, "entry_points.txt")
        yield Drift("changed", found.name, path, f"it cannot be read: {error}")
        return
    for entry_point in entry_points:
        path = os.path.join(schemes.scripts, entry_point.name)
        try:
            content = read_regular(path, _MAX_LAUNCHER, follow=True)
        except FileNotFoundError:
            continue  # RECORD says whether it has to be there
        except OSError as error:
            yield Drift("changed", found.name, path, error.strerror or str(error))
            continue
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
    """Yield the commands of an environment of its own that no installed package owns."""
    is_own = os.path.isfile(os.path.join(schemes.data, "pyvenv.cfg"))
    if not (is_own or schemes.purelib == schemes.data) or not os.path.isdir(schemes.scripts):
        return
    places = Places()
    owned = PathSet(
        places.key(path)
        for path in chain.from_iterable(map(_files, installed))
        if os.path.dirname(path) == schemes.scripts
    )
    for name in sorted(os.listdir(schemes.scripts)):
        path = os.path.join(schemes.scripts, name)
        is_file = os.path.islink(path) or not os.path.isdir(path)
        if is_file and places.key(path) not in owned and not _is_part(name):
            yield Drift("extra", "", path, "no installed package owns it")


def _files(found: Installed) -> Iterator[str]:
    with suppress(Exception):  # a damaged RECORD is a difference of its own
        yield from found.files()


def _is_part(name: str) -> bool:
    """Return whether a command is a part of every environment."""
    try:
        check_replaces_nothing(name)
    except InvalidEntryPoint:
        return True
    return name in _OF_VENVS


def _entries(top: str, *, is_packages: bool) -> Iterator[Drift]:
    """Yield links, byte code that is not of its source, and modes that let others in."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        inner = []
        for entry in found:
            if folder == top and entry.name.startswith(STAGING):
                continue
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(status.st_mode):
                if is_packages:
                    detail = f"it is a link to {os.path.realpath(entry.path)}"
                    yield Drift("extra", "", entry.path, f"{detail}, which no RECORD speaks of")
                continue
            problem = _problem_of_mode(status.st_mode)
            # The mode of a volume is that of whoever mounted it.
            if problem and not os.path.ismount(entry.path):
                yield Drift("changed", "", entry.path, problem)
            if stat.S_ISDIR(status.st_mode):
                inner.append(entry.path)
            elif entry.name.endswith(".pyc") and os.path.basename(folder) == "__pycache__":
                yield from _byte_code(entry.path)
        waiting += reversed(inner)


def _problem_of_mode(mode: int) -> str:
    if mode & stat.S_IWOTH:
        return f"every user may write to it (mode {stat.S_IMODE(mode):o})"
    if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
        return f"it runs with the rights of its owner or group (mode {stat.S_IMODE(mode):o})"
    return ""


def _byte_code(path: str) -> Iterator[Drift]:
    """Yield a file of ``__pycache__`` that was not compiled from the source beside it."""
    folder, name = os.path.split(path)
    source = os.path.join(os.path.dirname(folder), f"{name.partition('.')[0]}.py")
    try:
        with open_regular(path) as file:
            header = file.read(_PYC_HEADER)
    except OSError as error:
        yield Drift("changed", "", path, error.strerror or str(error))
        return
    if len(header) < _PYC_HEADER:
        return  # Python makes it again
    flags, stated = int.from_bytes(header[4:8], "little"), header[8:]
    try:
        size = os.stat(source).st_size
        if flags & 1:
            import _imp  # noqa: PLC0415  # seldom met

            digest = _imp.source_hash(int.from_bytes(header[:4], "little"), read_input(source))
            is_of_source = digest == stated
        else:
            is_of_source = int.from_bytes(stated[4:], "little") == size & 0xFFFFFFFF
    except FileNotFoundError:
        yield Drift("extra", "", path, "there is no source of it")
        return
    except OSError:
        return  # the source is a difference of its own
    if not is_of_source:
        yield Drift("changed", "", path, f"it was compiled from another source than {source}")
