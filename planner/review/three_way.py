"""Two versions of a lock that have one before them in common, merged package by package.

A merge of lines puts marks into a lock where both branches have touched the same place, and then no
program reads it. Packages are what branches change: one that only one of them has changed is taken
from that branch, wherever its block stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby

from packaging.pylock import Package, Pylock
from packaging.version import Version

from planner.lock.reader import parse_lock
from schemas.data_class import frozen
from schemas.errors import InvalidLockText

__all__ = ["MergeLines", "Merged", "merge_locks"]


_HEADING = "[[packages]]\n"


MergeLines = Callable[[str, str, str], str | None]
"""Merges the lines of a common version, ours and theirs; None if both have changed the same."""


@frozen
class Merged:
    """A lock of both branches."""

    text: str
    problems: tuple[str, ...]
    """Sentences on what a plan has to decide, as both branches have changed it."""


@frozen
class _Parts:
    """The text of a lock: what is before its packages, and the blocks of each, by name."""

    head: str
    packages: Mapping[str, str]


def merge_locks(base: str, ours: str, theirs: str, merge_lines: MergeLines) -> Merged | None:
    """Return the lock of both branches; None if one of the texts is not a lock with a block for
    each package, sorted by name, or if no lock comes of it.
    """
    # Both branches may have added the lock.
    before = _parts(base) if base else _Parts("", {})
    one, other = _parts(ours), _parts(theirs)
    if before is None or one is None or other is None:
        return None
    merge = _Merge(before, one, other, merge_lines)
    head = merge.head()
    packages = {name: text for name in merge.names() if (text := merge.package(name))}
    try:
        lock = parse_lock(_joined(head, packages))
        for name, wanted in _dangling(lock):
            packages[name] = merge.restored(name, wanted)
        text = _joined(head, packages)
        if list(_dangling(parse_lock(text))):
            return None
    except InvalidLockText:
        return None
    return Merged(text, tuple(merge.problems))


class _Merge:
    """One merge, which notes what it cannot decide."""

    def __init__(self, base: _Parts, ours: _Parts, theirs: _Parts, merge_lines: MergeLines) -> None:
        self.problems: list[str] = []
        self._base = base
        self._ours = ours
        self._theirs = theirs
        self._merge_lines = merge_lines

    def names(self) -> list[str]:
        return sorted({*self._base.packages, *self._ours.packages, *self._theirs.packages})

    def head(self) -> str:
        """Return what is before the packages; ours if both have changed the same lines of it."""
        base, ours, theirs = self._base.head, self._ours.head, self._theirs.head
        merged = self._merged(base, ours, theirs)
        if merged is None:
            self.problems.append("both branches have changed what the lock is for; ours is kept")
        return ours if merged is None else merged

    def package(self, name: str) -> str:
        """Return the blocks of a package; empty if it is removed."""
        base, ours, theirs = (
            part.packages.get(name, "") for part in (self._base, self._ours, self._theirs)
        )
        merged = self._merged(base, ours, theirs)
        if merged is not None and (merged in {ours, theirs} or _is_of(merged, ours, theirs)):
            return merged
        kept = max(ours, theirs, key=_newest)
        said = (f"{whose} has {_versions(text)}" for whose, text in _named(ours, theirs))
        self.problems.append(f"{name}: {', '.join(said)}; {_versions(kept)} is kept")
        return kept

    def restored(self, name: str, wanted: str) -> str:
        """Return the blocks of a package that one branch has removed and ``wanted`` requires."""
        self.problems.append(
            f"{name}: one branch has removed it, and {wanted} of the other requires it; it is kept"
        )
        sides = (self._ours, self._theirs, self._base)
        return next((part.packages[name] for part in sides if name in part.packages), "")

    def _merged(self, base: str, ours: str, theirs: str) -> str | None:
        """Return what both branches make of ``base``; None if that is not decided."""
        if theirs in {base, ours}:
            return ours
        if ours == base:
            return theirs
        return self._merge_lines(base, ours, theirs) if base and ours and theirs else None


def _parts(text: str) -> _Parts | None:
    """Return the parts of a lock; None if it cannot be cut into blocks."""
    head, *blocks = text.split(_HEADING)
    found: dict[str, str] = {}
    names: list[str] = []
    for name, same in groupby(blocks, _name):
        names.append(name)
        found[name] = "\n".join(f"{_HEADING}{block.rstrip()}\n" for block in same)
    is_cut = bool(names) and all(names) and names == sorted(set(names))
    if not is_cut or _has_tables_after(blocks):
        return None
    return _Parts(head.rstrip() + "\n", found)


def _name(block: str) -> str:
    first = block.partition("\n")[0]
    return first.removeprefix('name = "').removesuffix('"') if first.startswith("name = ") else ""


def _has_tables_after(blocks: Iterable[str]) -> bool:
    """Return whether a table that is of no package follows one."""
    lines = (line for block in blocks for line in block.splitlines())
    tables = (line.lstrip("[") for line in lines if line.startswith("["))
    return any(not table.startswith("packages.") for table in tables)


def _joined(head: str, packages: Mapping[str, str]) -> str:
    return "\n".join([head, *(packages[name] for name in sorted(packages))])


def _dangling(lock: Pylock) -> Iterator[tuple[str, str]]:
    """Yield each name that no package has, and a package that requires it."""
    names = {package.name for package in lock.packages}
    found = {
        str(dependency.get("name")): package.name
        for package in lock.packages
        for dependency in package.dependencies or ()
    }
    yield from ((name, wanted) for name, wanted in found.items() if name not in names)


def _is_of(merged: str, ours: str, theirs: str) -> bool:
    """Return whether blocks whose lines were merged are of the releases that both branches have."""
    return _versions(merged) == _versions(ours) == _versions(theirs)


def _named(ours: str, theirs: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("ours", ours), ("theirs", theirs)


def _newest(blocks: str) -> tuple[Version, bool]:
    """Return a key by which later versions are greater, and any package than none."""
    found = [package.version for package in _packages(blocks) if package.version]
    return max(found, default=Version("0")), bool(blocks)


def _versions(blocks: str) -> str:
    """Return the versions of one package in words."""
    packages = _packages(blocks)
    if not packages:
        return "removed it"
    return " and ".join(str(package.version or "a source") for package in packages)


def _packages(blocks: str) -> list[Package]:
    """Return the packages of blocks that ``parse_lock`` can read; none if it cannot."""
    if not blocks:
        return []
    try:
        return list(parse_lock(f'lock-version = "1.0"\ncreated-by = "x"\n\n{blocks}').packages)
    except InvalidLockText:
        return []
