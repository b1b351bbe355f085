"""The builds of an execution, checked before anything is written, then done one at a time.

Each follows the plan: the flags of the lock, build requirements from a lock of their own, as many
jobs as budget and measurement allow, and a wheel with the same tags and native modules.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace

from executor.budget.budget import Budget
from executor.budget.memory import own_memory, physical_limit
from executor.budget.processors import usable_processors
from executor.builds.build_system import BuildSystem, read_build_system
from executor.builds.errors import BuildsTooBig, BuildsUnmeasured, BuildTooBig
from executor.builds.foreign_requirements import RequirementsLocker
from executor.builds.git import check_out
from executor.builds.sandbox import SandboxLimits
from executor.builds.toolchain import describe, with_jobs
from executor.builds.wheel_cache import WheelCache, default_wheel_cache
from executor.builds.workspace import Workspace
from executor.environment.environment import Environment
from executor.files.file_digest import digest_file
from executor.files.folders import write_spool
from executor.lock.step import Step
from executor.report.report import BuildReport
from executor.report.reporter import Reporter
from executor.sources.client import HttpClient
from executor.sources.errors import Missing, Unreachable
from executor.sources.origins import Origins
from executor.sources.verified import verified
from schemas.builds import BuildFlags, BuildRecord, foreseen, unhurried
from schemas.errors import UsageError
from schemas.sizes import format_size

__all__ = ["Builder"]


_KERNEL = 2 << 20
"""Bytes that the kernel holds for this process while it waits for a build."""


@dataclass(kw_only=True)
class Builder:
    """Builds the wheels of one execution, which owns and closes it."""

    environment: Environment
    """The environment to install into."""
    origins: Origins
    folder: str
    """The folder of the lock, which also holds the locks of build requirements."""
    network: bool = False
    """Whether builds may use the network."""
    seconds: float = 3600.0
    """Time limit of one build."""
    unmeasured: bool = False
    """Whether builds may run whose memory demand was never measured."""
    constraints: Sequence[str] = ()
    """Paths of files with constraints for build requirements that no lock records."""
    wheel_cache: WheelCache = field(default_factory=lambda: default_wheel_cache(os.environ))
    reporter: Reporter = field(default_factory=Reporter)
    reports: list[BuildReport] = field(default_factory=list)
    """One for each finished build."""
    _stack: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        """Remove the workspaces; the built wheels are staged or cached by now."""
        self._stack.close()

    def check(self, steps: Sequence[Step], budget: Budget) -> None:
        """Raise if a build of ``steps`` cannot be done, before any begins; warn of slow ones.

        Raises BuildsTooBig with all builds that do not fit, BuildsUnmeasured, Missing if a lock of
        build requirements is, and UsageError if constraints cannot be read.
        """
        for path in self.constraints:
            if not os.access(path, os.R_OK) or os.path.isdir(path):
                raise UsageError(
                    f"--build-constraint {path} cannot be read",
                    hint="name a file of constraints, such as one that pip reads",
                )
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
                    f"{step.name}: its build may be slow, because the files of its compiler "
                    f"({format_size(record.files)}) do not all stay in the "
                    f"{format_size(available)} that {source} leaves; "
                    f"{format_size(enough)} are enough"
                )
        if too_big:
            raise BuildsTooBig(tuple(too_big), available, source)
        for text in slow:
            self.reporter.warned(text)

    def make(self, step: Step, client: HttpClient, budget: Budget) -> Step:
        """Return the step of a wheel built from the source of ``step``, or found in the cache.

        Raises BuildFailed, NetworkError and ArtifactRefused.
        """
        record = _record(step)
        path = self._find(step, record)
        if path is None:
            path = self._build(step, record, client, budget)
            if self._is_kept(step):
                self.wheel_cache.keep(self._key(step, record), path)
        return replace(
            step,
            filename=os.path.basename(path),
            path=path,
            url=None,
            size=os.path.getsize(path),
            hashes=(("sha256", digest_file(path).hex()),),
            hints=None,
            source=None,
        )

    def _build(
        self, step: Step, record: BuildRecord | None, client: HttpClient, budget: Budget
    ) -> str:
        """Build the wheel of ``step`` in a workspace and return its path."""
        python = self.environment.interpreter.schemes.executable
        if not self.environment.exists:
            python = self.environment.base
        place = self._stack.enter_context(Workspace.opened(step.name, python))
        tree = self._tree(step, place, client)
        system = read_build_system(step.name, tree)
        assert step.source is not None
        kind = "editable" if step.source.editable else "wheel"
        available, _ = _available(budget)
        flags = self._flags(record, available)
        limits = self._limits(record, budget)
        if (lock := self._lock(step)) is not None:
            place.install(lock, self.origins)
        elif record is None:
            self._install_unlocked(place, tree, system, limits, kind)
        planned = record.demand.get(flags.jobs, record.peak) if record else None
        limit = limits.limit
        self.reporter.recorder.event(
            "building",
            package=step.name,
            planned=planned,
            # A program that calls us may hold more than it leaves.
            limit=None if limit is None else max(0, limit),
            jobs=flags.jobs,
        )
        wheel, result = place.wheel(
            tree,
            system,
            flags,
            limits,
            # A folder may have another version than when it was planned.
            version=None if step.source.folder else step.version or None,
            kind=kind,
        )
        if record is not None and not step.source.editable:
            wheel.check_plan(record)
        report = BuildReport(
            package=step.name,
            seconds=round(result.seconds, 1),
            demand=result.demand,
            limit=limits.limit,
            jobs=flags.jobs,
            tier=result.tier,
            network=result.network,
            writes=result.writes,
        )
        self.reports.append(report)
        self.reporter.recorder.event("built", **asdict(report))
        return wheel.path

    def _install_unlocked(
        self, place: Workspace, tree: str, system: BuildSystem, limits: SandboxLimits, kind: str
    ) -> None:
        """Install what a wheel of ``kind`` requires, of a source that was never planned."""
        locker = RequirementsLocker(
            package=place.package,
            folder=place.folder,
            target=place.environment.interpreter.target,
            origins=self.origins,
            constraints=self.constraints,
            limit=limits.limit,
        )
        requires = list(dict.fromkeys(system.requires))
        if requires:
            place.install(locker.lock(requires), self.origins)
        more = place.backend(tree, system, BuildFlags(), limits).requires(kind)
        if set(more) - set(requires):
            place.install(locker.lock([*dict.fromkeys([*requires, *more])]), self.origins)

    def _tree(self, step: Step, place: Workspace, client: HttpClient) -> str:
        """Return the source tree: a fresh copy, or for an editable wheel the folder itself."""
        source = step.source
        assert source is not None
        if source.folder:
            folder = os.path.join(self.folder, source.folder)
            if not os.path.isdir(folder):
                # Without hashes it is not an archive either; and a pipe would be waited for.
                hint = "the lock names this path; put the folder of the project there"
                raise Unreachable(folder, "it is not a folder", hint=hint)
            if source.editable:
                return os.path.join(folder, source.subdirectory)
            return place.tree(folder, source.subdirectory)
        if source.commit:
            folder = os.path.join(place.folder, "repository")
            check_out(step.name, self.origins.repository(step, self.folder), source.commit, folder)
            return place.tree(folder, source.subdirectory)
        archive = os.path.join(place.folder, os.path.basename(step.filename))
        origin = self.origins.find(step, self.folder)
        with place.space(), open(archive, "xb", buffering=0) as file:
            write_spool(file, verified(origin.open(client), step, origin.name))
        return place.tree(archive, source.subdirectory)

    def _find(self, step: Step, record: BuildRecord | None) -> str | None:
        return self.wheel_cache.find(self._key(step, record)) if self._is_kept(step) else None

    def _is_kept(self, step: Step) -> bool:
        """Return whether its wheel may be found in the cache: not that of a folder, which may
        change, nor one whose build requirements the user's constraints choose.
        """
        is_chosen = bool(self.constraints) and self._lock(step) is None and _record(step) is None
        return _is_fixed(step) and not is_chosen

    def _flags(self, record: BuildRecord | None, available: int) -> BuildFlags:
        """Return the recorded flags, with the most jobs whose measured demand fits."""
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

    def _limits(self, record: BuildRecord | None, budget: Budget) -> SandboxLimits:
        """Return the limits of one build: all that the budget leaves, or the demand foreseen."""
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
        """Return whether this machine is like the one that the build was measured on."""
        target = self.environment.interpreter.target
        return dict(record.measured_on) == dict(describe(target, record.backend))

    def _lock(self, step: Step) -> str | None:
        """Return the path of the lock of the build requirements, if there is one."""
        if step.source and step.source.lock:
            return step.source.lock
        record = _record(step)
        return os.path.join(self.folder, record.lock) if record and record.lock else None

    def _key(self, step: Step, record: BuildRecord | None) -> str:
        """Return a digest of everything that the wheel depends on."""
        lock = self._lock(step)
        causes = {
            "source": sorted(step.hashes),
            "commit": step.source.commit if step.source else "",
            "subdirectory": step.source.subdirectory if step.source else "",
            "flags": record.flags.to_table() if record else None,
            "lock": digest_file(lock).hex() if lock and os.path.exists(lock) else None,
            "target": self.environment.interpreter.target.to_table(),
        }
        return hashlib.sha256(json.dumps(causes, sort_keys=True).encode()).hexdigest()


def _is_fixed(step: Step) -> bool:
    """Return whether the lock determines the bytes of the source, as it does not of a folder."""
    return bool(step.hashes or (step.source and step.source.commit))


def _record(step: Step) -> BuildRecord | None:
    return step.source.record if step.source else None


def _available(budget: Budget) -> tuple[int, str]:
    """Return the bytes of memory available to everything, and the source of that figure."""
    if budget.memory is not None:
        return budget.memory, budget.source
    physical = physical_limit()
    return (physical.available, physical.source) if physical else (1 << 62, "nothing")
