"""Differences between two locks, in versions and files."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.pylock import Package, Pylock
from packaging.utils import NormalizedName

from planner.lock.locked_files import locked_files
from schemas.data_class import frozen

__all__ = ["Change", "compare"]


@frozen(kw_only=True)
class Change:
    """A project that differs between two locks."""

    name: NormalizedName
    old: tuple[str, ...]
    """Its versions in the old lock; empty if the project is new."""
    new: tuple[str, ...]
    """Its versions in the new lock; empty if the project was removed."""
    notes: tuple[str, ...]
    """Changes that deserve a second look: another origin, another file of the same name."""

    def __str__(self) -> str:
        old, new = " and ".join(self.old), " and ".join(self.new)
        if not old or not new:
            text = f"{'+' if new else '-'} {self.name} {new or old}"
        else:
            text = f"~ {self.name} {old}" + (f" -> {new}" if new != old else "")
        return f"{text} ({'; '.join(self.notes)})" if self.notes else text


def compare(old: Pylock, new: Pylock) -> tuple[Change, ...]:
    """Return what differs in ``new``, sorted by project.

    Markers do not count, nor does which wheels of a version are listed.
    """
    before, after = _by_name(old), _by_name(new)
    return tuple(
        change
        for name in sorted(before.keys() | after.keys())
        if (change := _compare(name, before.get(name, []), after.get(name, [])))
    )


def _by_name(lock: Pylock) -> dict[NormalizedName, list[Package]]:
    found: dict[NormalizedName, list[Package]] = {}
    for package in lock.packages:
        found.setdefault(package.name, []).append(package)
    return found


def _compare(name: NormalizedName, old: list[Package], new: list[Package]) -> Change | None:
    versions = [
        # A lock need not state the version of a folder or a repository.
        tuple(sorted(str(one.version or "(no version)") for one in side))
        for side in (old, new)
    ]
    notes = tuple(_notes(old, new)) if old and new else ()
    if versions[0] == versions[1] and not notes:
        return None
    return Change(name=name, old=versions[0], new=versions[1], notes=notes)


def _notes(old: list[Package], new: list[Package]) -> Iterator[str]:
    origins = {_origin(one) for one in old}
    for is_direct, place in sorted({_origin(one) for one in new} - origins):
        # A lock that records no index cannot show that it changed.
        if is_direct or (place and any(known for _, known in origins)):
            yield f"from {place}"
        elif all(was_direct for was_direct, _ in origins):
            yield "from an index"
    known = {name: hashes for one in old for name, hashes in locked_files(one)}
    for name, hashes in (file for one in new for file in locked_files(one)):
        before = known.get(name, {})
        if any(before[kind] != hashes[kind] for kind in before.keys() & hashes.keys()):
            yield f"{name} is another file"


def _origin(package: Package) -> tuple[bool, str]:
    """Return whether ``package`` is required by its place, and that, or the URL of its index, which
    may be empty.
    """
    source = package.vcs or package.archive or package.directory
    if source is None:
        return False, package.index or ""
    place = getattr(source, "url", None) or source.path
    commit = f"@{package.vcs.commit_id}" if package.vcs else ""
    part = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
    return True, f"{place}{commit}{part}"
