"""The files that some installation of a lock needs: with any extras, on all of its targets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from packaging.pylock import Pylock

from executor.environment.interpreter import probe
from executor.lock.errors import NotForThisTarget, NotInstallable
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
    reader = LockReader(lock)
    chosen = _targets(reader.header, names or TargetNames())
    steps: dict[str, Step] = {}
    unfetched: dict[str, None] = {}
    skipped: dict[str, None] = {}
    for first in range(0, len(chosen), _AT_ONCE):
        selectors = _selectors(reader.header, chosen[first : first + _AT_ONCE])
        for package, _ in LockReader(lock).packages():
            for step in filter(None, (one.candidate(package) for one in selectors)):
                if step.source and not step.hashes:
                    unfetched[step.name] = None
                    continue
                _check_name(step)
                known = steps.setdefault(step.filename, step)
                if dict(known.hashes).items().isdisjoint(step.hashes):
                    raise SameName(step.filename)
        skipped |= dict.fromkeys(name for one in selectors for name in one.skipped)
        del selectors  # they hold the tags
        forget_tags()
    return LockFiles(
        steps=tuple(fixed_order(steps.values())),
        targets=chosen,
        unfetched=tuple(unfetched),
        missing=tuple(skipped),
        remark=reader.remark,
    )


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


def _selectors(header: Pylock, targets: Iterable[Target]) -> list[Selector]:
    options = SelectOptions(build=True)
    try:
        return [Selector(header, target, options) for target in targets]
    except NotForThisTarget as error:
        error.hint = "name a target that the lock is for, with --python-version and --platform"
        raise


def _check_name(step: Step) -> None:
    """Raise NotInstallable if the file could not have its name in a folder, or would be hidden."""
    if step.filename != os.path.basename(step.filename) or step.filename.startswith("."):
        raise NotInstallable(step.name, f"{step.filename!r} is not the name of a file")
