"""Builds of an execution: foreseen before anything is written, then made one at a time.

Each is held to what was planned: the flags of the lock, requirements from a lock of their own, the
jobs that budget and measurement allow, and a wheel of the same tags with the same native modules.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from executor.budget.budget import Budget
from executor.budget.cgroups import read_words
from executor.budget.memory import own_memory
from executor.budget.processors import usable_processors
from executor.builds.backend import read_build_system
from executor.builds.errors import BuildsTooBig, BuildsUnmeasured, BuildTooBig
from executor.builds.git import check_out
from executor.builds.sandbox import SandboxLimits
from executor.builds.toolchain import describe, with_jobs
from executor.builds.wheel_cache import WheelCache, default_wheel_cache, digest_of
from executor.builds.workspace import Workspace
from executor.environment.environment import Environment
from executor.files.folders import write_spool
from executor.lock.step import Step
from executor.report.report import BuildReport
from executor.report.reporter import Reporter
from executor.sources.client import HttpClient
from executor.sources.errors import Missing
from executor.sources.origins import Origins
from executor.sources.verified import verified
from schemas.builds import BuildFlags, BuildRecord, foreseen, unhurried
from schemas.sizes import format_size

__all__ = ["Builder"]


_KERNEL = 2 << 20
"""Bytes that the kernel holds for this process while it waits."""


@dataclass(kw_only=True)
class Builder:
    """What has to be built for one environment."""

    environment: Environment
    origins: Origins
    folder: str
    """That of the lock: where the locks of build requirements are."""
    network: bool = False
    seconds: float = 3600.0
    unmeasured: bool = False
    """Whether builds may run of which nothing was measured."""
    wheel_cache: WheelCache = field(default_factory=lambda: default_wheel_cache(os.environ))
    reporter: Reporter = field(default_factory=Reporter)
    reports: list[BuildReport] = field(default_factory=list)
    """What was built, with what it took."""
    _stack: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Remove what was built; it is staged or kept by now."""
        self._stack.close()

    def check(self, steps: Sequence[Step], budget: Budget) -> None:
        """Refuse what cannot be done before anything is begun, and warn of what will be slow.

        Raises BuildsTooBig with all that do not fit, BuildsUnmeasured, and Missing where a lock of
        build requirements is.
        """
        unmeasured = tuple(step.name for step in steps if _record(step) is None)
        if unmeasured and not self.unmeasured:
            raise BuildsUnmeasured(unmeasured)
        available, source = _available(budget)
        too_big, slow = [], []
        for step in steps:
            lock = self._lock(step)
            if lock is not None and not os.path.exists(lock):
                raise Missing(step.name, lock)
            record = _record(step)
            if record is None or self._find(step, record):
                continue
            needed = foreseen(record.peak, alike=self._is_alike(record))
            if needed > available:
                too_big.append(BuildTooBig(step.name, needed, record.peak))
            elif (enough := unhurried(record.peak, record.files)) > available:
                slow.append(
                    f"{step.name}: its build may be slow, for the files of its compiler "
                    f"({format_size(record.files)}) will not all stay in the "
                    f"{format_size(available)} that {source} leaves; "
                    f"{format_size(enough)} are enough"
                )
        if too_big:
            raise BuildsTooBig(tuple(too_big), available, source)
        for text in slow:
            self.reporter.warned(text)

    def make(self, step: Step, client: HttpClient, budget: Budget) -> Step:
        """The step of the wheel that is built of the source that ``step`` names.

        Raises BuildFailed, NetworkError and ArtifactRefused.
        """
        record = _record(step)
        path = self._find(step, record)
        if path is None:
            path = self._build(step, record, client, budget)
            if _is_fixed(step):
                self.wheel_cache.keep(self._key(step, record), path)
        return replace(
            step,
            filename=os.path.basename(path),
            path=path,
            url=None,
            size=os.path.getsize(path),
            hashes=(("sha256", digest_of(path)),),
            hints=None,
            source=None,
        )

    def _build(
        self, step: Step, record: BuildRecord | None, client: HttpClient, budget: Budget
    ) -> str:
        python = self.environment.interpreter.schemes.executable
        if not self.environment.exists:
            python = self.environment.base
        place = self._stack.enter_context(Workspace.opened(step.name, python))
        tree = self._tree(step, place, client)
        system = read_build_system(step.name, tree)
        if (lock := self._lock(step)) is not None:
            place.install(lock, self.origins)
        available, _ = _available(budget)
        flags = self._flags(record, available)
        terms = self._terms(record, budget)
        assert step.source is not None
        artifact, outcome = place.wheel(
            tree,
            system,
            flags,
            terms,
            # What is a folder may be of another version than when it was planned.
            version=None if step.source.folder else step.version or None,
            kind="editable" if step.source.editable else "wheel",
        )
        if record is not None and not step.source.editable:
            artifact.check_plan(record)
        self.reports.append(
            BuildReport(
                package=step.name,
                seconds=round(outcome.seconds, 1),
                demand=outcome.demand,
                limit=terms.limit,
                jobs=flags.jobs,
                tier=outcome.tier,
                network=outcome.network,
                writes=outcome.writes,
            )
        )
        return artifact.path

    def _tree(self, step: Step, place: Workspace, client: HttpClient) -> str:
        """The source tree: a fresh one, or the folder itself that an editable wheel leads to."""
        source = step.source
        assert source is not None
        if source.folder:
            folder = os.path.join(self.folder, source.folder)
            if source.editable:
                return os.path.join(folder, source.subdirectory)
            return place.tree(folder, source.subdirectory)
        if source.commit:
            folder = os.path.join(place.folder, "repository")
            check_out(step.name, self.origins.repository(step, self.folder), source.commit, folder)
            return place.tree(folder, source.subdirectory)
        archive = os.path.join(place.folder, os.path.basename(step.filename))
        origin = self.origins.find(step, self.folder)
        write_spool(archive, verified(origin.open(client), step, origin.name))
        return place.tree(archive, source.subdirectory)

    def _find(self, step: Step, record: BuildRecord | None) -> str | None:
        """The wheel that was built before. A folder may have changed since."""
        return self.wheel_cache.find(self._key(step, record)) if _is_fixed(step) else None

    def _flags(self, record: BuildRecord | None, available: int) -> BuildFlags:
        """Those of the lock, with the most jobs whose measured demand fits."""
        if record is None:
            return BuildFlags()
        alike = self._is_alike(record)
        fitting = [
            jobs
            for jobs, demand in record.demand.items()
            if jobs <= usable_processors() and foreseen(demand, alike=alike) <= available
        ]
        jobs = max(fitting, default=record.flags.jobs)
        if jobs == record.flags.jobs:
            return record.flags
        return with_jobs(record.flags, record.backend, jobs)

    def _terms(self, record: BuildRecord | None, budget: Budget) -> SandboxLimits:
        limit = foreseen(max(record.demand.values()), alike=False) if record else None
        if budget.memory is not None:
            limit = budget.memory - own_memory() - _KERNEL
        return SandboxLimits(
            limit=limit,
            seconds=self.seconds,
            expected_seconds=record.seconds if record else None,
            network=self.network,
        )

    def _is_alike(self, record: BuildRecord) -> bool:
        target = self.environment.interpreter.target
        return dict(record.measured_on) == dict(describe(target, record.backend))

    def _lock(self, step: Step) -> str | None:
        if step.source and step.source.lock:
            return step.source.lock
        record = _record(step)
        return os.path.join(self.folder, record.lock) if record and record.lock else None

    def _key(self, step: Step, record: BuildRecord | None) -> str:
        """A digest of all that the wheel depends on."""
        lock = self._lock(step)
        told = {
            "source": sorted(step.hashes),
            "commit": step.source.commit if step.source else "",
            "subdirectory": step.source.subdirectory if step.source else "",
            "flags": record.flags.to_table() if record else None,
            "lock": digest_of(lock) if lock and os.path.exists(lock) else None,
            "target": self.environment.interpreter.target.to_table(),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _is_fixed(step: Step) -> bool:
    """Whether the lock tells what the source is, to the byte: not so of a folder."""
    return bool(step.hashes or (step.source and step.source.commit))


def _record(step: Step) -> BuildRecord | None:
    return step.source.record if step.source else None


def _available(budget: Budget) -> tuple[int, str]:
    """Bytes of memory for everything, and what says so."""
    if budget.memory is not None:
        return budget.memory, budget.source
    words = read_words("/proc/meminfo")
    if "MemAvailable:" not in words:
        return 1 << 62, "nothing"
    return int(words[words.index("MemAvailable:") + 1]) << 10, "/proc/meminfo"
