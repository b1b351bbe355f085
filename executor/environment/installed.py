"""The distributions that an environment holds, and the files that each of them owns.

Source: https://packaging.python.org/specifications/recording-installed-packages/.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from itertools import takewhile
from typing import Any, BinaryIO, NamedTuple, TextIO

from executor.environment.errors import RecordUnreadable
from executor.files.regular import open_regular, read_regular, unmarked_text
from schemas.data_class import frozen
from schemas.hints import TOOL_NAME
from schemas.wheel import EGGS
from schemas.wheel_filename import normalized_name, same_version, version_in_name

__all__ = [
    "Installed",
    "RecordedFile",
    "fingerprint",
    "installed_distributions",
    "installed_in",
    "protected",
    "recorded_files",
]


_LONGEST_LINE = 256 << 10
"""Characters of a line of RECORD; a path has at most 4,096 bytes."""


_LONGEST_PATH, _LONGEST_NAME = 4096, 255
"""Bytes of a path with its end, and of a name in it."""


_ASIDE = ("~", "-", "=", "%", ".")
"""How the names begin that pip gives to what it removes, until that is gone; it stays if pip is
stopped. pip and uv ignore it."""


_SEEDS = frozenset({"pip", "setuptools", "wheel"})
"""Parts of an environment that the lock of a project does not list; ``uv pip sync`` keeps them."""


def protected(installed: Iterable[Installed], *, with_own: bool = True) -> frozenset[str]:
    """Return the normalized names of the distributions that belong to the environment itself, and
    are not a difference from a lock: installers, ``with_own`` lockstream if it is installed there,
    and what they require. ``installed`` is what the lock does not hold.
    """
    by_name = {found.name: found for found in installed}
    kept = set(_SEEDS)
    waiting = [*_SEEDS, *({TOOL_NAME} & by_name.keys() if with_own else ())]
    while waiting:
        name = waiting.pop()
        kept.add(name)
        needed = by_name[name].required_names() if name in by_name else ()
        waiting.extend({*needed} & by_name.keys() - kept)
    return frozenset(kept)


_REQUIRED = r"(?i)Requires-Dist:\s*([A-Za-z0-9._-]+)"


_OF_AN_EXTRA = r";.*\bextra\b"


class RecordedFile(NamedTuple):
    """One row of the RECORD of an installed distribution."""

    path: str
    """Absolute."""
    digest: str
    """As RECORD spells it, ``sha256=...``; empty if it has none."""
    size: str
    """In bytes; empty if RECORD has none."""


@frozen
class Installed:
    """A distribution, known by its dist-info folder, or by one of the ``EGGS`` of older tools."""

    name: str
    """Normalized."""
    version: str
    path: str
    """Absolute path of the dist-info folder or the egg-info."""

    @property
    def record(self) -> str:
        """Return the path of its RECORD, which lists its files. An egg-info has none."""
        return os.path.join(self.path, "RECORD")

    @property
    def is_complete(self) -> bool:
        """Return whether it has a RECORD; without one it can be neither kept nor removed. An empty
        one lists not even itself: a loss of power leaves it where nothing was synced.
        """
        return os.path.isfile(self.record) and os.path.getsize(self.record) > 0

    def has_version(self, version: str) -> bool:
        """Return whether it has ``version``, in any spelling; an empty one always matches."""
        return not version or same_version(version_in_name(self.version), version)

    def direct_url(self) -> Mapping[str, Any] | None:
        """Return its direct_url.json (PEP 610), or None if it was not required by a URL."""
        try:
            path = os.path.join(self.path, "direct_url.json")
            content = json.loads(read_regular(path, _LONGEST_LINE, follow=True))
        except (OSError, ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    def required_names(self) -> Iterator[str]:
        """Yield the normalized names of the projects that it requires in any environment, without
        those of its extras.
        """
        try:
            path = os.path.join(self.path, "METADATA")
            with TextIOWrapper(open_regular(path), "utf-8", "replace") as text:
                for line in takewhile(str.strip, iter(partial(text.readline, _LONGEST_LINE), "")):
                    found = re.match(_REQUIRED, line)
                    if found and not re.search(_OF_AN_EXTRA, line):
                        yield normalized_name(found[1])
        except OSError:
            return

    def recorded(self) -> Iterator[RecordedFile]:
        """Yield the rows of its RECORD. Raises RecordUnreadable, and OSError if it has none."""
        yield from recorded_files(self.record, os.path.dirname(self.path))

    def files(self) -> Iterator[str]:
        """Yield the absolute paths that its RECORD lists. Raises what ``recorded`` raises."""
        return (file.path for file in self.recorded())


def installed_in(folders: Iterable[str]) -> Iterator[Installed]:
    """Yield the distributions in each of ``folders``, such as ``Schemes.packages``."""
    for folder in folders:
        yield from installed_distributions(folder)


def fingerprint(folders: Iterable[str]) -> int:
    """Return a number that differs if a distribution in ``folders`` was added or removed."""
    number = 0
    for found in installed_in(folders):
        with suppress(FileNotFoundError):
            status = os.lstat(found.path)
            number = hash((number, found.path, status.st_ino, status.st_mtime_ns))
    return number


def installed_distributions(folder: str) -> Iterator[Installed]:
    """Yield the distributions in a purelib or platlib folder, sorted by name.

    Only the names of folders are read, and of a distribution with an egg-info besides its RECORD:
    old wheels bring one. The folder may be absent.
    """
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    whole: list[Installed] = []
    eggs: list[Installed] = []
    for name in names:
        stem, _, kind = name.rpartition(".")
        distribution, dash, version = stem.partition("-")
        if name.startswith(_ASIDE):
            continue
        if kind == "dist-info" and dash:
            path = os.path.join(folder, name)
            whole.append(Installed(normalized_name(distribution), version, path))
        elif kind == "egg-link" and stem:
            # It has no version: demo-pkg.egg-link is of demo-pkg.
            eggs.append(Installed(normalized_name(stem), "", os.path.join(folder, name)))
        elif f".{kind}" in EGGS and distribution:
            # demo-1.0-py3.11.egg-info names the Python too.
            version = version.partition("-")[0]
            path = os.path.join(folder, name)
            eggs.append(Installed(normalized_name(distribution), version, path))
    if eggs:
        whole += [egg for egg in eggs if not _is_part(egg, whole)]
        whole.sort(key=lambda found: found.path)
    yield from whole


def _is_part(egg: Installed, whole: Iterable[Installed]) -> bool:
    """Return whether the RECORD of a distribution of the same name lists an egg-info."""
    inside = f"{egg.path}/"
    for found in whole:
        if found.name == egg.name:
            # Where a RECORD is needed, an error says that it is absent or damaged.
            with suppress(OSError, RecordUnreadable):
                if any(f"{path}/".startswith(inside) for path in found.files()):
                    return True
    return False


def recorded_files(
    record: str, root: str, opened: BinaryIO | None = None
) -> Iterator[RecordedFile]:
    """Yield the rows of the RECORD at ``record``, whose paths are relative to the folder ``root``.

    ``opened`` is that file, if it is open already; it is closed. Raises RecordUnreadable and
    OSError.
    """
    with unmarked_text(opened or open_regular(record)) as file:
        try:
            for row in csv.reader(_lines(file, record)):
                if row:
                    path, digest, size = (*row, "", "")[:3]
                    if "\0" in path:
                        raise RecordUnreadable(record, "a path has a null character in it")
                    if (len(path) > _LONGEST_NAME or not path.isascii()) and not _can_exist(path):
                        raise RecordUnreadable(record, f"no file has the path {path[:80]!r}...")
                    yield RecordedFile(os.path.normpath(os.path.join(root, path)), digest, size)
        except (UnicodeDecodeError, csv.Error) as error:
            raise RecordUnreadable(record, str(error)) from None


def _can_exist(path: str) -> bool:
    """Return whether a path is short enough for Linux (PATH_MAX, NAME_MAX)."""
    encoded = os.fsencode(path)
    return len(encoded) < _LONGEST_PATH and all(
        len(name) <= _LONGEST_NAME for name in encoded.split(b"/")
    )


def _lines(file: TextIO, record: str) -> Iterator[str]:
    """Yield the lines of RECORD, which a damaged one may not have. Raises RecordUnreadable."""
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise RecordUnreadable(record, f"a line has {_LONGEST_LINE} characters or more")
        yield line
