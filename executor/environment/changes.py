"""Decide which distributions to install, replace and remove, so that an environment is what its
lock says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from executor.environment.errors import NotRemovable
from executor.environment.installed import Installed, installed_in, protected
from executor.environment.places import Places
from executor.environment.schemes import Schemes
from executor.files.path_set import PathSet
from executor.lock.step import Step
from schemas.data_class import frozen

__all__ = ["Changes", "Sync", "decide_changes", "is_from"]


@frozen(kw_only=True)
class Sync:
    """The user's options for what may be replaced or removed."""

    exact: bool = False
    """Whether to remove what the lock does not hold."""
    reinstall: bool = False
    """Whether to replace everything, even if it has the right version."""
    reinstall_packages: frozenset[str] = frozenset()
    """Normalized names of distributions to replace, even if they have the right version."""
    remove: frozenset[str] = frozenset()
    """Normalized names of distributions to remove if the lock does not hold them, even parts of the
    environment, such as pip."""


@frozen
class Changes:
    """The changes that one execution makes to an environment."""

    install: Sequence[Step]
    """In fixed order; some of them replace what is in ``remove``."""
    remove: Sequence[Installed]
    """Sorted by name."""
    unchanged: Sequence[Step]
    skipped: Sequence[str]
    """Names of packages that would have to be built, which the user chose to leave out."""
    lock_remarks: Sequence[str] = ()
    """A sentence for each thing that is odd about the lock as a whole."""

    @property
    def is_empty(self) -> bool:
        """Return whether the environment is right already."""
        return not self.install and not self.remove

    @property
    def replaced(self) -> dict[str, str]:
        """Return the version that is removed, by name, of each distribution that is replaced."""
        names = {step.name for step in self.install}
        return {found.name: found.version for found in self.remove if found.name in names}

    def remarks(self, sync: Sync) -> Iterator[str]:
        """Yield what is odd about the lock, and a sentence for each name in ``sync`` that means
        nothing here.
        """
        yield from self.lock_remarks
        if not sync.reinstall_packages and not sync.remove:
            return
        known = {step.name for step in (*self.install, *self.unchanged)}.union(self.skipped)
        for name in sorted(sync.remove & known):
            yield f"{name} is to be removed, but the lock lists it"
        for name in sorted(sync.remove - known - {found.name for found in self.remove}):
            yield f"{name} is to be removed, but is not installed"
        for name in sorted(sync.reinstall_packages - known):
            yield f"{name} is to be reinstalled, but the lock installs no such package"

    def to_json(self) -> dict[str, Any]:
        """Return what ``--dry-run --json`` prints: names and versions, sizes in bytes."""
        return {
            "install": [
                {
                    "name": step.name,
                    "version": step.version,
                    "replaces": self.replaced.get(step.name),
                    "file": step.filename,
                    "size": step.size,
                }
                for step in self.install
            ],
            "remove": [
                {"name": found.name, "version": found.version}
                for found in self.remove
                if found.name not in {step.name for step in self.install}
            ],
            "unchanged": [{"name": step.name, "version": step.version} for step in self.unchanged],
            "skipped": list(self.skipped),
        }

    def lines(self) -> Iterator[str]:
        """Yield the changes as text: ``+`` is installed, ``~`` replaced, ``-`` removed."""
        table = self.to_json()
        for entry in table["install"]:
            old = entry["replaces"]
            sign, was = ("~", f" (was {old})") if old else ("+", "")
            # What is built may have no version yet.
            yield f"{sign} {entry['name']} {entry['version']}".rstrip() + was
        for entry in table["remove"]:
            yield f"- {entry['name']} {entry['version']}"
        yield f"{len(self.unchanged)} unchanged"


def decide_changes(
    steps: Sequence[Step], schemes: Schemes, sync: Sync, skipped: Sequence[str] = ()
) -> Changes:
    """Return the changes from what the environment holds to ``steps``, which are in fixed order.

    ``skipped`` are the names of packages in the lock that stay as they are.

    Raises NotRemovable if a distribution without a RECORD has to be removed, and RecordUnreadable.
    """
    present: dict[str, list[Installed]] = {}
    for found in installed_in(schemes.packages):
        present.setdefault(found.name, []).append(found)
    kept: dict[str, Installed] = {}
    remove: list[Installed] = []
    for step in steps:
        found_now = present.pop(step.name, [])
        if len(found_now) == 1 and not _must_replace(step, found_now[0], sync):
            kept[step.name] = found_now[0]
        else:
            remove.extend(found_now)
    others = chain.from_iterable(present.values())
    spared = protected(others).union(skipped) if sync.exact else present.keys()
    for name, found_now in present.items():
        if name in sync.remove or name not in spared:
            remove.extend(found_now)
    for found in remove:
        if not found.is_complete:
            raise NotRemovable(found.name, found.version, found.path)
    left = list(_left_incomplete(kept.values(), remove))
    remove.extend(kept.pop(found.name) for found in left)
    return Changes(
        [step for step in steps if step.name not in kept],
        sorted(remove, key=lambda found: found.path),
        [step for step in steps if step.name in kept],
        skipped,
    )


def _left_incomplete(kept: Iterable[Installed], remove: Sequence[Installed]) -> Iterator[Installed]:
    """Yield the distributions of ``kept`` that own a path whose contents are another's, which is
    removed (``--on-collision last``).
    """
    if not remove:
        return
    key = Places().key
    going = PathSet(key(path) for found in remove for path in found.files())
    as_recorded = PathSet(
        f"{key(path)}\0{digest}" for found in remove for path, digest, _ in found.recorded()
    )
    for found in kept:
        if any(
            key(path) in going and f"{key(path)}\0{digest}" not in as_recorded
            for path, digest, _ in found.recorded()
        ):
            yield found


def _must_replace(step: Step, found: Installed, sync: Sync) -> bool:
    """Return whether ``found`` is not what ``step`` would install, or the user wants it anew."""
    if sync.reinstall or step.name in sync.reinstall_packages or not found.is_complete:
        return True
    return not (found.has_version(step.version) and is_from(found, step))


def is_from(found: Installed, step: Step) -> bool:
    """Return whether ``found`` was installed from where ``step`` is: an index, or the same commit
    or archive. False for what was built from a folder: it records no such thing.
    """
    direct_url = found.direct_url()
    if not step.is_direct:
        return direct_url is None
    if step.source and step.source.commit:
        vcs_info = (direct_url or {}).get("vcs_info")
        return (
            isinstance(vcs_info, dict)
            and vcs_info.get("commit_id") == step.source.commit
            and (direct_url or {}).get("subdirectory", "") == step.source.subdirectory
        )
    archive = (direct_url or {}).get("archive_info")
    hashes = archive.get("hashes") if isinstance(archive, dict) else None
    return isinstance(hashes, dict) and any(hashes.get(name) == one for name, one in step.hashes)
