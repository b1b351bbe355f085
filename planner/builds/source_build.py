"""The build of one source: its metadata, its wheel, and the memory and time that the build took."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from executor import (
    BackendUnusable,
    BuildSystem,
    BuiltWheel,
    Keychain,
    Origins,
    SandboxLimits,
    SandboxResult,
    Workspace,
    describe,
    read_build_system,
    with_jobs,
)
from planner.builds.interpreters import Interpreter
from planner.builds.policy import BuildPolicy
from planner.builds.sdist import static_metadata
from planner.lock.built import Built
from planner.planning.reporter import Reporter
from schemas.builds import BuildFlags, BuildRecord
from schemas.data_class import with_fields
from schemas.errors import BuildFailed
from schemas.target import Target

__all__ = ["BuildUnmeasurable", "Requirements", "SourceBuild"]


RUNS = 2
"""Measured builds at one job; the larger figure counts."""


SHORT_RUNS = 4
"""Measured builds if the first is short: on a busy machine it is sampled only a few times."""


SHORT_SECONDS = 5.0


@with_fields
class BuildUnmeasurable(BuildFailed):
    """The kernel does not state what memory a build holds."""

    package: str
    hint: str = (
        "nothing was recorded; plan where control groups can be made, or where /proc shows the "
        "processes of this PID namespace"
    )

    def __str__(self) -> str:
        return f"{self.package}: the memory that its build takes cannot be measured here"


class Requirements(Protocol):
    """Locks the requirements of a build."""

    def __call__(
        self, name: str, requirements: Sequence[str], target: Target, added: Sequence[str] = ()
    ) -> str:
        """Resolve ``requirements`` and those ``added``, write their lock and return its path."""


@dataclass(slots=True, kw_only=True)
class SourceBuild:
    """One source and one interpreter to build it with, owned by the ``Builder`` of the plan."""

    workspace: Workspace
    interpreter: Interpreter
    label: str
    """The name that progress messages show."""
    source: str
    """The path of the archive or the folder."""
    sha256: str
    """Of the archive, or another digest of the source; empty for files that may change."""
    subdirectory: str = ""
    """The folder of the package in the source tree."""
    tree: str
    """A copy of the source, for builds of metadata."""
    policy: BuildPolicy
    requirements: Requirements
    keychain: Keychain
    """The credentials that the installation of build requirements may use."""
    reporter: Reporter
    lock_name: str
    """The name of the lock of the build requirements, without ``pylock.`` and ``.toml``."""
    lock: str | None = None
    built: Built | None = None
    _metadata: bytes | None = None
    _is_ready: bool = False

    @property
    def limits(self) -> SandboxLimits:
        """Return the limits of a build. In a plan memory has none, because it is measured."""
        return SandboxLimits(
            limit=self.policy.memory,
            seconds=self.policy.seconds,
            network=self.policy.network,
            hears=self._hear,
        )

    def metadata(self) -> bytes:
        """Return the metadata that a wheel of it has. Raise BuildFailed."""
        if self._metadata is None:
            self._metadata = static_metadata(self.tree)
        if self._metadata is None:
            self.reporter.building(self.label, "metadata")
            system, flags = self.prepare()
            self._metadata = self.workspace.metadata(self.tree, system, flags, self.limits)
            self.reporter.prepared(self.label)
        return self._metadata

    def prepare(self, kinds: Sequence[str] = ("wheel",)) -> tuple[BuildSystem, BuildFlags]:
        """Lock and install the build requirements; those of an ``editable`` wheel too, if the
        backend supports it. Return the build system and the flags.
        """
        system = read_build_system(self.workspace.package, self.tree)
        flags = self.policy.flags(self.workspace.package, system.backend)
        if self._is_ready:
            return system, flags
        requires = list(dict.fromkeys(system.requires))
        self._install(requires)
        backend = self.workspace.backend(self.tree, system, flags, self.limits)
        more = backend.requires()
        if "editable" in kinds:
            with suppress(BackendUnusable):
                more += backend.requires("editable")
        if set(more) - set(requires):
            self._install(list(dict.fromkeys([*requires, *more])))
        self._is_ready = True
        return system, flags

    def measure(self, version: str | None) -> tuple[BuiltWheel, BuildRecord]:
        """Build it several times, each time from a fresh copy. Return the first wheel and the
        record of what the builds took. Raise BuildFailed.
        """
        system, flags = self.prepare()
        demand: dict[int, int] = {}
        runs: Counter[int] = Counter()

        def run(jobs: int) -> tuple[BuiltWheel, SandboxResult]:
            runs[jobs] += 1
            self.reporter.building(self.label, f"measuring, jobs {jobs}, run {runs[jobs]}")
            tree = self.workspace.tree(self.source, self.subdirectory)
            its_flags = flags if jobs == flags.jobs else with_jobs(flags, system.backend, jobs)
            wheel, result = self.workspace.wheel(
                tree, system, its_flags, self.limits, version=version
            )
            shutil.rmtree(tree, ignore_errors=True)
            if not result.demand:
                raise BuildUnmeasurable(self.workspace.package)
            demand[jobs] = max(demand.get(jobs, 0), result.demand)
            self.reporter.prepared(self.label, result.demand)
            return wheel, result

        wheel, first = run(flags.jobs)
        count = SHORT_RUNS if first.seconds < SHORT_SECONDS else RUNS
        figures = [first, *(run(flags.jobs)[1] for _ in range(count - 1))]
        if self.policy.measured_jobs > flags.jobs:
            for _ in range(count):
                run(self.policy.measured_jobs)
        record = BuildRecord(
            key=self.key(flags, self.lock),
            wheel=wheel.filename,
            backend=system.backend,
            flags=flags,
            lock=os.path.basename(self.lock) if self.lock else None,
            demand=demand,
            files=max(one.files for one in figures),
            charged_peak=max((one.charged_peak or 0 for one in figures), default=0) or None,
            seconds=round(max(one.seconds for one in figures), 1),
            native=wheel.native,
            measured_on=describe(self.workspace.environment.interpreter.target, system.backend),
        )
        self.reporter.built(self.label, record)
        return wheel, record

    def key(self, flags: BuildFlags, lock: str | None) -> str:
        """Return a digest of everything that the wheel depends on. Raise OSError."""
        content = b""
        if lock is not None:
            with open(lock, "rb") as file:
                content = file.read()
        causes = {
            "source": f"{self.sha256}#{self.subdirectory}" if self.subdirectory else self.sha256,
            "flags": flags.to_table(),
            "lock": hashlib.sha256(content).hexdigest(),
            "target": self.interpreter.target.to_table(),
        }
        return hashlib.sha256(json.dumps(causes, sort_keys=True).encode()).hexdigest()

    def _hear(self, held: int) -> None:
        limit = self.policy.memory
        self.reporter.recorder.note("held", package=self.label, bytes=held, limit=limit)

    def _install(self, requirements: Sequence[str]) -> None:
        added = self.policy.requires(self.workspace.package)
        if requirements or added:
            target = self.interpreter.target
            self.lock = self.requirements(self.lock_name, requirements, target, added)
            self.workspace.install(self.lock, Origins(logins=self.keychain.logins))
