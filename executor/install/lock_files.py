"""The files that some installation of a lock needs: with any extras, on all of its targets."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from packaging.pylock import Pylock

from executor.environment.interpreter import probe
from executor.lock.errors import LockUnreadable, NotForThisTarget, NotInstallable
from executor.lock.options import SelectOptions, TargetNames
from executor.lock.reader import LockReader
from executor.lock.selection import Selector
from executor.lock.step import Step, fixed_order
from executor.sources.errors import SameName
from schemas.data_class import frozen
from schemas.lock import recorded_targets
from schemas.target import Target, forget_tags
from schemas.text import enumerate_some

__all__ = ["LockFiles", "files_of"]


_AT_ONCE = 8
"""Targets that files are selected for in one pass: the tags of each take a quarter of a MiB."""


_RELEASE = re.compile(r"\b([0-9]+\.[0-9]+)\.([0-9]|[1-3][0-9])\b")
"""A release of Python in a marker or in ``requires-python``; none has had a 40th. Versions of
something else may be taken for one, for which a target is looked at more."""


_MAX_NAME = 255
"""Bytes of the name of a file (NAME_MAX of Linux and macOS)."""


_FILE_HINT = "write it to a file, and name that"


@frozen(kw_only=True)
class LockFiles:
    """The files that some installation of a lock needs."""

    steps: tuple[Step, ...]
    """One for each file, in fixed order."""
    targets: tuple[Target, ...]
    unfetched: tuple[str, ...]
    """Names of packages that are folders or repositories."""
    missing: tuple[str, ...]
    """Names of packages that have no file for one of the targets."""
    remark: str
    """A warning about the lock as a whole, or nothing."""

    def to_json(self, files: Iterable[Step]) -> dict[str, Any]:
        """Return it for programs, with these ``files`` as they arrived; sizes are in bytes."""
        return {
            "targets": [str(target) for target in self.targets],
            "files": [
                {"name": step.filename, "size": step.size, "hashes": dict(step.hashes)}
                for step in files
            ],
            "unfetched": list(self.unfetched),
            "missing": list(self.missing),
        }

    def warnings(self) -> Iterator[str]:
        """Yield what the user should know of them."""
        if self.remark:
            yield self.remark
        if self.unfetched:
            yield f"not fetched, as folders or repositories: {enumerate_some(self.unfetched)}"
        if self.missing:
            yield f"no file for one of the targets: {enumerate_some(self.missing)}"


def files_of(lock: str, names: TargetNames | None = None) -> LockFiles:
    """Return the files of the lock at the path ``lock`` that these targets need with any choice of
    extras and dependency groups.

    Raises UsageError, NotForThisTarget, NotInstallable, InsecureHashes, SameName, and what
    LockReader raises.
    """
    _check_kind(lock)
    reader = LockReader(lock)
    chosen = _targets(reader.header, names or TargetNames())
    found = _Found(lock, reader.header)
    found.add(chosen)
    found.add(tuple(found.releases(chosen)))
    return LockFiles(
        steps=tuple(fixed_order(found.steps.values())),
        targets=chosen,
        unfetched=tuple(found.unfetched),
        missing=tuple(found.skipped),
        remark=reader.remark,
    )


class _Found:
    """What was found in the lock at the path ``lock``, target by target."""

    def __init__(self, lock: str, header: Pylock) -> None:
        self._lock = lock
        self._header = header
        self._releases: set[tuple[str, int]] = set()
        """Version and release of each Python that the lock speaks of: ("3.11", 5)."""
        self.steps: dict[str, Step] = {}
        self.unfetched: dict[str, None] = {}
        self.skipped: dict[str, None] = {}

    def add(self, targets: Sequence[Target]) -> None:
        """Find the files for ``targets``. Raises what ``files_of`` raises."""
        for first in range(0, len(targets), _AT_ONCE):
            selectors = _selectors(self._header, targets[first : first + _AT_ONCE])
            for package, _ in LockReader(self._lock).packages():
                for text in filter(None, (package.marker, package.requires_python)):
                    self._releases.update(
                        (python, int(release)) for python, release in _RELEASE.findall(str(text))
                    )
                for step in filter(None, (one.candidate(package) for one in selectors)):
                    self._add_step(step)
            self.skipped |= dict.fromkeys(name for one in selectors for name in one.skipped)
            del selectors  # they hold the tags
            forget_tags()

    def _add_step(self, step: Step) -> None:
        if step.source and not step.hashes:
            self.unfetched[step.name] = None
            return
        _check_name(step)
        known = self.steps.setdefault(step.filename, step)
        if dict(known.hashes).items().isdisjoint(step.hashes):
            raise SameName(step.filename)

    def releases(self, targets: Iterable[Target]) -> Iterator[Target]:
        """Yield, for the Python 3.11 of a target, those of its releases that may need other files:
        where the lock has ``python_full_version >= "3.11.5"``, 3.11.4, 3.11.5 and 3.11.6.
        """
        for target in targets:
            if not target.is_series:
                continue
            python = target.environment["python_version"]
            named = [release for known, release in self._releases if known == python]
            near = {release + step for release in named for step in (-1, 0, 1)}
            for release in sorted(near - {-1, 0}):
                found = target.with_release(release)
                if _fits(self._header, found):
                    yield found


def _targets(header: Pylock, names: TargetNames) -> tuple[Target, ...]:
    """Return the targets that are named; without any name those that the lock records, else that of
    the running Python. Raises UsageError for a name that is not known.
    """
    known = recorded_targets(header) or (probe(sys.executable).target,)
    if not names.python_versions and not names.platforms:
        return known
    pythons = names.python_versions or [one.python_name.replace("+", "") for one in known]
    platforms = names.platforms or [one.platform for one in known]
    return tuple(
        Target.named(python, platform)
        for python in dict.fromkeys(pythons)
        for platform in dict.fromkeys(platforms)
    )


def _fits(header: Pylock, target: Target) -> bool:
    try:
        Selector(header, target, SelectOptions(build=True))
    except NotForThisTarget:
        return False
    return True


def _selectors(header: Pylock, targets: Iterable[Target]) -> list[Selector]:
    options = SelectOptions(build=True)
    try:
        return [Selector(header, target, options) for target in targets]
    except NotForThisTarget as error:
        error.hint = "name a target that the lock is for, with --python-version and --platform"
        raise


def _check_kind(lock: str) -> None:
    """Raise LockUnreadable if the lock is a pipe, such as the output of a program."""
    with suppress(OSError):  # the reader says what is wrong
        if stat.S_ISFIFO(os.stat(lock).st_mode):
            raise LockUnreadable(lock, "it is a pipe, and is read more than once", _FILE_HINT)


def _check_name(step: Step) -> None:
    """Raise NotInstallable if the file could not have its name in a folder, would be hidden, or
    would be taken for an option by a program that gets the name as an argument.
    """
    name = step.filename
    is_name = name == os.path.basename(name) and name.isprintable() and name[0] not in ".-"
    if not is_name or len(name.encode()) > _MAX_NAME:
        shown = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."
        raise NotInstallable(step.name, f"{shown!r} is not the name of a file")
