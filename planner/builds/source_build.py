"""Site: one source, from what it says of itself to a wheel and what that took."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
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
from schemas.target import Target

__all__ = ["Requirements", "SourceBuild"]


RUNS = 2
"""Builds that are measured at one job; the larger figure counts."""


SHORT_RUNS = 4


SHORT_SECONDS = 5.0
"""So many of builds that end sooner: on a busy machine looks at them are few."""


class Requirements(Protocol):
    """Who locks what builds need."""

    def __call__(self, name: str, requirements: Sequence[str], target: Target) -> str:
        """Resolve ``requirements`` and write the lock of them; its path."""


@dataclass(slots=True, kw_only=True)
class SourceBuild:
    """Where one source is built with one interpreter."""

    place: Workspace
    host: Interpreter
    label: str
    """What the user is told of."""
    source: str
    """The path of the archive or the folder."""
    sha256: str
    """Of the archive, or another digest of the source; empty for what may change."""
    subdirectory: str = ""
    """Of the source tree, in which the package is."""
    tree: str
    """A copy of it that metadata may be asked of."""
    policy: BuildPolicy
    requirements: Requirements
    keychain: Keychain
    """Whose credentials the installation of build requirements may use too."""
    reporter: Reporter
    lock_name: str
    """Of the lock of the build requirements, without what all locks are called."""
    lock: str | None = None
    built: Built | None = None
    _metadata: bytes | None = None
    _is_ready: bool = False

    @property
    def terms(self) -> SandboxLimits:
        """What a build may do here: memory is what is measured, so nothing limits it."""
        return SandboxLimits(seconds=self.policy.seconds, network=self.policy.network)

    def metadata(self) -> bytes:
        """The metadata that a wheel of it has. Raises BuildFailed."""
        if self._metadata is None:
            self._metadata = static_metadata(self.tree)
        if self._metadata is None:
            self.reporter.building(self.label, "metadata")
            system, flags = self.prepare()
            self._metadata = self.place.metadata(self.tree, system, flags, self.terms)
        return self._metadata

    def prepare(self, kinds: Sequence[str] = ("wheel",)) -> tuple[BuildSystem, BuildFlags]:
        """Install what it is built with, locked; for an ``editable`` wheel too, if its backend
        makes any.
        """
        system = read_build_system(self.place.package, self.tree)
        flags = self.policy.flags(self.place.package, system.backend)
        if self._is_ready:
            return system, flags
        wanted = list(dict.fromkeys(system.requires))
        self._install(wanted)
        backend = self.place.backend(self.tree, system, flags, self.terms)
        more = backend.requires()
        if "editable" in kinds:
            with suppress(BackendUnusable):
                more += backend.requires("editable")
        if set(more) - set(wanted):
            self._install(list(dict.fromkeys([*wanted, *more])))
        self._is_ready = True
        return system, flags

    def measure(self, version: str | None) -> tuple[BuiltWheel, BuildRecord]:
        """Build it, again and again, each time from a fresh copy; the first wheel, and what it
        took. Raises BuildFailed.
        """
        system, flags = self.prepare()
        demand: dict[int, int] = {}

        def run(jobs: int) -> tuple[BuiltWheel, SandboxResult]:
            self.reporter.building(self.label, f"measuring, jobs {jobs}")
            tree = self.place.tree(self.source, self.subdirectory)
            told = flags if jobs == flags.jobs else with_jobs(flags, system.backend, jobs)
            artifact, outcome = self.place.wheel(tree, system, told, self.terms, version=version)
            shutil.rmtree(tree, ignore_errors=True)
            demand[jobs] = max(demand.get(jobs, 0), outcome.demand)
            return artifact, outcome

        made, first = run(flags.jobs)
        count = SHORT_RUNS if first.seconds < SHORT_SECONDS else RUNS
        figures = [first, *(run(flags.jobs)[1] for _ in range(count - 1))]
        if self.policy.measured_jobs > flags.jobs:
            for _ in range(count):
                run(self.policy.measured_jobs)
        record = BuildRecord(
            key=self.key(flags, self.lock),
            wheel=made.filename,
            backend=system.backend,
            flags=flags,
            lock=os.path.basename(self.lock) if self.lock else None,
            demand=demand,
            files=max(one.files for one in figures),
            charged_peak=max((one.charged_peak or 0 for one in figures), default=0) or None,
            seconds=round(max(one.seconds for one in figures), 1),
            native=made.native,
            measured_on=describe(self.place.environment.interpreter.target, system.backend),
        )
        self.reporter.built(self.label, record)
        return made, record

    def key(self, flags: BuildFlags, lock: str | None) -> str:
        """A digest of all that the wheel depends on. Raises OSError."""
        content = b""
        if lock is not None:
            with open(lock, "rb") as file:
                content = file.read()
        told = {
            "source": f"{self.sha256}#{self.subdirectory}" if self.subdirectory else self.sha256,
            "flags": flags.to_table(),
            "lock": hashlib.sha256(content).hexdigest(),
            "target": self.host.target.to_table(),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def _install(self, requirements: Sequence[str]) -> None:
        if requirements:
            self.lock = self.requirements(self.lock_name, requirements, self.host.target)
            self.place.install(self.lock, Origins(logins=self.keychain.logins))
