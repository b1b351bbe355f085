"""The builds that an earlier lock records, and which of them still stand for their source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

from packaging.utils import NormalizedName

from executor import digest_file
from planner.builds.policy import BuildPolicy, spelled
from planner.builds.source_build import SourceBuild
from planner.index.pages import ProjectPage
from planner.lock.built import Built, KnownBuild
from planner.lock.reader import read_lock
from planner.model.direct_reference import DirectReference
from planner.review.recorded import recorded_table
from schemas.data_class import frozen
from schemas.target import Target

__all__ = ["EarlierBuilds"]


@frozen(kw_only=True)
class EarlierBuilds:
    """The ``known`` builds of a lock in ``folder``, for a plan with ``policy``."""

    known: Sequence[KnownBuild]
    policy: BuildPolicy
    folder: str

    def of_page(self, page: ProjectPage, targets: Sequence[Target]) -> Iterator[Built]:
        """Yield the wheels that were built from the sources of ``page`` for one of ``targets``."""
        for known in self.known:
            is_it = known.is_of(page) and any(map(known.suits, targets)) and self._is_as_now(known)
            if is_it and (built := known.to_built()):
                yield built

    def of_reference(
        self, name: NormalizedName, reference: DirectReference, target: Target
    ) -> Built | None:
        """Return the wheel of ``name`` that was built from ``reference`` for ``target``, if any."""
        for known in self.known:
            is_it = known.name == name and known.record.source == reference.relative_to(self.folder)
            if is_it and known.suits(target) and self._is_as_now(known):
                built = known.to_built(reference.at(known.record.commit))
                if built is not None:
                    return built
        return None

    def of_build(
        self, name: NormalizedName, build: SourceBuild, target: Target
    ) -> KnownBuild | None:
        """Return what ``build`` of ``name`` would build again for ``target``: nothing that it
        depends on has changed, and its wheel is here; None if there is nothing.
        """
        for known in (one for one in self.known if one.suits(target)):
            record = known.record
            lock = self._lock_of(known)
            flags = self.policy.flags(name, record.backend)
            with suppress(OSError):
                is_it = build.key(flags, lock) == record.key and self._requires_as_now(name, lock)
                if is_it and digest_file(known.path).hex() == known.sha256:
                    return known
        return None

    def pinned(self, reference: DirectReference) -> DirectReference:
        """Return ``reference`` at the commit that the lock records, if it records one."""
        records = (known.record for known in self.known)
        commits = (
            one.commit for one in records if one.source == reference.relative_to(self.folder)
        )
        return reference.at(next(commits, ""))

    def _is_as_now(self, known: KnownBuild) -> bool:
        """Return whether a build that is left to other machines had the flags of this plan."""
        record = known.record
        if not self.policy.deferred:
            return True
        lock = self._lock_of(known)
        is_there = lock is None or os.path.exists(lock)
        requires_same = is_there and self._requires_as_now(known.name, lock)
        return requires_same and self.policy.flags(known.name, record.backend) == record.flags

    def _requires_as_now(self, name: NormalizedName, lock: str | None) -> bool:
        """Return whether the build requirements in ``lock`` have the same limits, and the same
        additions, as those of this plan.
        """
        added = list(self.policy.requires(name))
        if lock is None:
            return not added
        recorded = recorded_table(read_lock(lock), "inputs")
        limits = spelled(self.policy.constraints)
        return (recorded.get("constraints", []), recorded.get("added", [])) == (limits, added)

    def _lock_of(self, known: KnownBuild) -> str | None:
        """Return the path of the lock of the build's requirements; None if it had none."""
        return os.path.join(self.folder, known.record.lock) if known.record.lock else None
