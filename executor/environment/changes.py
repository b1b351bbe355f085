"""Changes: what has to be done to make an environment what its lock says. Decided, not done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from executor.environment.errors import NotRemovable
from executor.environment.installed import Installed, installed_distributions, protected
from executor.environment.schemes import Schemes
from executor.files.path_set import PathSet
from executor.lock.step import Step

__all__ = ["Changes", "Sync", "decide_changes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """How far to go."""

    exact: bool = False
    """Remove what the lock does not hold."""
    reinstall: bool = False
    """Replace everything, though it is of the right version."""
    reinstall_packages: frozenset[str] = frozenset()
    """Normalized names of what to replace in any case."""
    remove: frozenset[str] = frozenset()
    """Normalized names of what to remove where the lock does not hold it, parts of the environment
    included."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What will be done."""

    install: Sequence[Step]
    """In fixed order; some of them take the place of what is removed."""
    remove: Sequence[Installed]
    """Sorted by name."""
    unchanged: Sequence[Step]
    skipped: Sequence[str]
    """Names of packages that would have to be built, and were left out as the user asked."""

    @property
    def replaced(self) -> dict[str, str]:
        """The version that goes, by name, of what is installed in another one or again."""
        names = {step.name for step in self.install}
        return {found.name: found.version for found in self.remove if found.name in names}

    def to_json(self) -> dict[str, Any]:
        """What ``--dry-run --json`` prints: names and versions, sizes in bytes."""
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
        """The changes for a person: ``+`` comes, ``~`` is replaced, ``-`` goes."""
        table = self.to_json()
        for entry in table["install"]:
            old = entry["replaces"]
            sign, was = ("~", f" (was {old})") if old else ("+", "")
            yield f"{sign} {entry['name']} {entry['version']}{was}"
        for entry in table["remove"]:
            yield f"- {entry['name']} {entry['version']}"
        yield f"{len(self.unchanged)} unchanged"


def decide_changes(
    steps: Sequence[Step], schemes: Schemes, sync: Sync, skipped: Sequence[str] = ()
) -> Changes:
    """Compare the steps, in fixed order, with what the environment holds.

    ``skipped`` names what the lock holds and is left as it is.

    Raises NotRemovable where something has to go that no RECORD describes, and RecordUnreadable.
    """
    installed = [
        found
        for folder in dict.fromkeys((schemes.purelib, schemes.platlib))
        for found in installed_distributions(folder)
    ]
    present: dict[str, list[Installed]] = {}
    for found in installed:
        present.setdefault(found.name, []).append(found)
    kept: dict[str, Installed] = {}
    remove: list[Installed] = []
    for step in steps:
        found_now = present.pop(step.name, [])
        if len(found_now) == 1 and not _must_replace(step, found_now[0], sync):
            kept[step.name] = found_now[0]
        else:
            remove.extend(found_now)
    spared = protected(installed).union(skipped) if sync.exact else present.keys()
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
    """Which of ``kept`` own a path that something else had the last word on, and that goes with it
    (``--on-collision last``).
    """
    if not remove:
        return
    going = PathSet(path for found in remove for path in found.files())
    as_recorded = PathSet(
        f"{path}\0{digest}" for found in remove for path, digest, _ in found.recorded()
    )
    for found in kept:
        if any(
            path in going and f"{path}\0{digest}" not in as_recorded
            for path, digest, _ in found.recorded()
        ):
            yield found


def _must_replace(step: Step, found: Installed, sync: Sync) -> bool:
    if sync.reinstall or step.name in sync.reinstall_packages or not found.is_complete:
        return True
    if not found.has_version(step.version):
        return True
    direct_url = found.direct_url()
    if not step.is_direct:
        return direct_url is not None
    if step.source and step.source.commit:
        told = (direct_url or {}).get("vcs_info")
        return not (
            isinstance(told, dict)
            and told.get("commit_id") == step.source.commit
            and (direct_url or {}).get("subdirectory", "") == step.source.subdirectory
        )
    archive = (direct_url or {}).get("archive_info")
    hashes = archive.get("hashes") if isinstance(archive, dict) else None
    return not (isinstance(hashes, dict) and _agree(hashes.items(), step.hashes))


def _agree(some: Iterable[tuple[str, str]], others: Collection[tuple[str, str]]) -> bool:
    return bool(set(some) & set(others))
