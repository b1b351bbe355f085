"""Look for what runs in an environment, or may be changed there, though no RECORD speaks of it.

Links, commands, the settings of a virtual environment, byte code and modes. It reads only files of
the environment; docs/threats.md says what it cannot see.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress

from executor.environment.drift import Drift
from executor.environment.installed import Installed, installed_in
from executor.environment.places import is_below
from executor.environment.schemes import STAGING, Schemes
from executor.files.regular import open_regular, read_input, read_regular
from executor.install.commands_inspection import files_of, inspect_commands
from executor.install.venv_inspection import inspect_venv, problem_of_mode

__all__ = ["inspect"]


_CODE = (".py", ".pyc", ".so", ".pyd")
"""What the names of files end with that Python imports."""


_CACHE = f"{os.sep}__pycache__{os.sep}"


_PYC_HEADER = 16
"""Bytes of magic number, flags, and time and size or hash of the source (PEP 552)."""


def inspect(schemes: Schemes, names: Collection[str]) -> Iterator[Drift]:
    """Yield what a lock and its RECORDs do not answer for in the environment of ``schemes``.

    ``names`` are the normalized names of the packages whose commands are compared.
    """
    installed = list(installed_in(schemes.packages))
    said = 0
    if _is_open(schemes):
        said = stat.S_IWOTH
        detail = "every user may write to it, and to all that is in it"
        yield Drift("changed", "", schemes.data, detail)
    yield from inspect_venv(schemes, installed, said)
    for folder in schemes.packages:
        yield from _virtualenv(folder)
    yield from inspect_commands(schemes, names, installed)
    yield from _roots(schemes, said)
    for folder in {*schemes.packages, schemes.scripts}:
        yield from _entries(folder, said, is_packages=folder != schemes.scripts)
    for folder in schemes.packages:
        yield from _beside_byte_code(folder, installed)


def _is_open(schemes: Schemes) -> bool:
    """Return whether every user may write to everything in an environment, as where a file system
    has one mode for all (those of Windows, and of a host that shares its folders).
    """
    others = [root for root in schemes.roots if not is_below(root, [schemes.data])]
    for top in {schemes.data, *others}:
        for folder, names, files in os.walk(top):
            for name in (os.curdir, *names, *files):
                mode = os.lstat(os.path.join(folder, name)).st_mode
                if not (mode & stat.S_IWOTH or stat.S_ISLNK(mode)):
                    return False
    return os.path.isdir(schemes.data)


def _roots(schemes: Schemes, said: int) -> Iterator[Drift]:
    """Yield folders of an environment that lead out of it, or that everybody may write to; the bits
    ``said`` of a mode count no more.
    """
    data = os.path.realpath(schemes.data)
    tops = {schemes.data, *schemes.roots}
    for root in schemes.roots:
        place = root
        while is_below(place, [schemes.data]):
            tops.add(place)
            place = os.path.dirname(place)
    if os.path.lexists(os.path.join(schemes.data, "pyvenv.cfg")):
        # ``lib64`` is a link there, and a wheel may have files for it.
        with os.scandir(schemes.data) as entries:
            links = [entry.path for entry in entries if entry.is_symlink()]
        tops.update(link for link in links if not is_below(os.path.realpath(link), [data]))
    for top in sorted(tops):
        with suppress(FileNotFoundError, NotADirectoryError):
            real = os.path.realpath(top)
            if is_below(top, [schemes.data]) and not is_below(real, [data]):
                yield Drift("changed", "", top, f"it is in fact {real}, out of the environment")
            status = os.stat(top)
            if (problem := problem_of_mode(status.st_mode, said)) and not os.path.ismount(top):
                yield Drift("changed", "", top, problem)


def _beside_byte_code(top: str, installed: Collection[Installed]) -> Iterator[Drift]:
    """Yield code in the folders of byte code that is none: ``import demo.__pycache__.more``."""
    owned: set[str] | None = None
    for folder, _, names in os.walk(top):
        if "__pycache__" in folder.split(os.sep):
            is_own = os.path.basename(folder) == "__pycache__"
            for name in sorted(names):
                if not name.endswith(_CODE) or (is_own and name.endswith(".pyc")):
                    continue
                if owned is None:
                    owned = {path for one in installed for path in files_of(one) if _CACHE in path}
                if (path := os.path.join(folder, name)) not in owned:
                    yield Drift("extra", "", path, "no installed package owns it")


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


def _entries(top: str, said: int, *, is_packages: bool) -> Iterator[Drift]:
    """Yield links, byte code that is not of its source, and modes that let others in, but for the
    bits ``said``.
    """
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
            problem = problem_of_mode(status.st_mode, said)
            # The mode of a volume is the choice of the one who mounted it.
            if problem and not os.path.ismount(entry.path):
                yield Drift("changed", "", entry.path, problem)
            if stat.S_ISDIR(status.st_mode):
                inner.append(entry.path)
            elif entry.name.endswith(".pyc") and os.path.basename(folder) == "__pycache__":
                yield from _byte_code(entry.path)
        waiting += reversed(inner)


def _byte_code(path: str) -> Iterator[Drift]:
    """Yield a file of ``__pycache__`` that was not compiled from the source next to it."""
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
