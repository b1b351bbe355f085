"""Look at what surrounds the packages of a virtual environment: its settings, its interpreter, and
the folders of libraries next to the packages.
"""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import cache
from itertools import chain

from executor.environment.drift import Drift
from executor.environment.installed import Installed
from executor.environment.places import is_below
from executor.environment.schemes import Schemes
from executor.files.regular import open_regular, read_input
from executor.install.commands_inspection import files_of, is_interpreter, is_same_program

__all__ = ["inspect_venv", "problem_of_mode"]


_LIBRARY = re.compile(r".*/lib(?:python|pypy)[^/]*")


def inspect_venv(
    schemes: Schemes, installed: Collection[Installed], said: int = 0
) -> Iterator[Drift]:
    """Yield what is not as a tool makes it in an environment with a ``pyvenv.cfg``; nothing for one
    without. ``installed`` is all that is there; the bits ``said`` of a mode count no more.
    """
    path = os.path.join(schemes.data, "pyvenv.cfg")
    if not os.path.lexists(path):
        return
    try:
        lines = read_input(path).decode(errors="replace").splitlines()
    except OSError as error:
        yield Drift("changed", "", path, error.strerror or str(error))
        return
    facts: dict[str, str] = {}
    for key, equals, value in (line.partition("=") for line in lines):
        # Python obeys the first home, and the last of the rest.
        if equals and facts.setdefault(key.strip().lower(), value.strip()) != value.strip():
            yield Drift("changed", "", path, f"it says twice what {key.strip()} is")
    if problem := problem_of_mode(os.stat(path).st_mode, said):
        yield Drift("changed", "", path, problem)
    if facts.get("include-system-site-packages", "").lower() == "true":
        detail = "packages of the base interpreter can be imported too"
        yield Drift("changed", "", path, f"include-system-site-packages: {detail}")
    yield from _interpreter(schemes, path, facts.get("home", ""))
    yield from _libraries(schemes, installed, facts.get("home", ""))


def problem_of_mode(mode: int, said: int = 0) -> str:
    """Return why a mode lets others in, but for its bits ``said``; empty if it does not."""
    if mode & ~said & stat.S_IWOTH:
        return f"every user may write to it (mode {stat.S_IMODE(mode):o})"
    if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
        return f"it runs with the rights of its owner or group (mode {stat.S_IMODE(mode):o})"
    return ""


def _interpreter(schemes: Schemes, settings: str, home: str) -> Iterator[Drift]:
    """Yield an interpreter that is not that of its ``home``, as ``settings`` name it."""
    python = os.path.join(schemes.scripts, "python")
    if os.path.islink(python) and os.path.realpath(home) not in _homes(python):
        detail = f"home is {home!r}, and {python} leads to {os.path.realpath(python)}"
        yield Drift("changed", "", settings, detail)
        return
    with suppress(OSError), open_regular(python) as file:
        if file.read(2) == b"#!":
            yield Drift("changed", "", python, "it is a script, not an interpreter")
            return
    # That of Windows is a launcher, of which the base has no copy under such a name.
    if schemes.launcher is None and os.path.lexists(python) and not _is_of(home, python):
        yield Drift("changed", "", python, f"it is no interpreter of {home!r}, nor a copy of one")


def _is_of(home: str, python: str) -> bool:
    """Return whether a program is one of the interpreters in the folder ``home``."""
    try:
        names = os.listdir(home)
    except OSError:
        return False
    programs = (os.path.join(home, name) for name in names if is_interpreter(name))
    return any(is_same_program(program, python) for program in programs)


def _homes(python: str) -> set[str]:
    """Return the real folders of all programs that the link ``python`` leads to."""
    homes = {os.path.dirname(os.path.realpath(python))}
    while os.path.islink(python) and len(homes) < 10:
        python = os.path.join(os.path.dirname(python), os.readlink(python))
        homes.add(os.path.realpath(os.path.dirname(python)))
    return homes


def _libraries(schemes: Schemes, installed: Collection[Installed], home: str) -> Iterator[Drift]:
    """Yield what is in ``lib`` and ``lib64`` beside the packages, and no package brought: libraries
    look for others there. A copied interpreter has its own there, as its base has (virtualenv).
    """
    packages = frozenset(map(os.path.realpath, schemes.packages))

    @cache
    def brought() -> frozenset[str]:
        paths = chain.from_iterable(map(files_of, installed))
        beside = (os.path.split(path) for path in paths if not is_below(path, schemes.packages))
        return frozenset(os.path.join(os.path.realpath(place), name) for place, name in beside)

    data = os.path.realpath(schemes.data)
    tops = {os.path.realpath(os.path.join(data, name)) for name in ("lib", "lib64")}
    for top in sorted(tops):
        if is_below(top, [data]) and os.path.isdir(top):
            for path in _beside(top, packages, brought):
                if not (_LIBRARY.fullmatch(path) and _is_of_base(home, path)):
                    yield Drift("extra", "", path, "no installed package owns it")


def _is_of_base(home: str, library: str) -> bool:
    """Return whether a library is a copy of one of the base, wherever distributions put those: in
    ``lib``, ``lib64`` or ``lib/x86_64-linux-gnu``.
    """
    base, name = glob.escape(os.path.dirname(home)), glob.escape(os.path.basename(library))
    places = (os.path.join(base, place, name) for place in ("lib*", "lib/*"))
    return any(is_same_program(one, library) for one in chain(*map(glob.iglob, places)))


def _beside(
    folder: str, packages: frozenset[str], brought: Callable[[], frozenset[str]]
) -> Iterator[str]:
    """Yield the paths of a folder that are neither ``packages``, nor ``brought`` by one."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = entry.path
        if path in packages or entry.name == "__pycache__" or os.path.ismount(path):
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_folder and (_leads_to(path, packages) or _leads_to(path, brought())):
            yield from _beside(path, packages, brought)
        elif path not in brought() and not (is_folder and _is_empty(path)):
            yield path


def _leads_to(folder: str, paths: Collection[str]) -> bool:
    return any(is_below(path, [folder]) for path in paths)


def _is_empty(folder: str) -> bool:
    """Return whether there is no file in a folder or below it."""
    return not any(files for _, _, files in os.walk(folder))
