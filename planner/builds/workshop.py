"""Workshop: sources in, metadata and measured wheels out.

Nothing of a source is run before it is needed: its own static metadata is asked first, and what is
built is what was chosen in the end. One build runs at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from packaging.utils import NormalizedName

from executor import Artifact, Outcome, Terms, Workplace, describe, read_build_system, with_jobs
from planner.builds.built import Built, KnownBuild
from planner.builds.hosts import Host, Hosts
from planner.builds.policy import BuildPolicy
from planner.builds.sdist import fetch_source, sha256_of, static_metadata
from planner.client import IndexClient
from planner.evaluator import Wheel
from planner.pages import ProjectFile
from planner.reporter import Reporter
from planner.solve import Solution
from schemas.builds import BuildFlags, BuildRecord
from schemas.target import Target

__all__ = ["Requirements", "Workshop"]

RUNS = 2
"""Builds that are measured at one job; the larger figure counts."""


class Requirements(Protocol):
    """Who locks what builds need."""

    def __call__(self, name: str, requirements: Sequence[str], target: Target) -> str:
        """Resolve ``requirements`` and write the lock of them; its path."""


@dataclass(slots=True)
class _Site:
    """One source, on its way."""

    place: Workplace
    host: Host
    source: str
    """The path of what was fetched."""
    sha256: str
    tree: str
    lock: str | None = None
    """That of the build requirements."""
    is_ready: bool = False
    """Whether they are installed."""
    metadata: bytes | None = None
    built: Built | None = None


@dataclass(kw_only=True)
class Workshop:
    """Builds for one plan."""

    policy: BuildPolicy
    client: IndexClient
    requirements: Requirements
    folder: str
    """Where the lock will be."""
    known: Sequence[KnownBuild] = ()
    """Builds of an earlier lock."""
    reporter: Reporter = field(default_factory=Reporter)
    built: dict[str, Built] = field(default_factory=dict)
    """By file name of the wheel."""
    _hosts: Hosts = field(default_factory=Hosts)
    _accepted: dict[str, Target] = field(default_factory=dict)
    """By project, a target that it may be built for."""
    _sites: dict[tuple[str, str], _Site] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def refuse(self, project: NormalizedName, target: Target) -> str | None:
        """Why no wheel of ``project`` may be built for ``target``, if none may."""
        if project not in self.policy.allowed:
            return "it is a source distribution, and only wheels are used (--build allows it)"
        if self._hosts.find(target) is None:
            return (
                "it is a source distribution, and a wheel for "
                f"{target} can only be built on such a machine: plan for that target there, or in "
                "a container of that kind"
            )
        self._accepted.setdefault(project, target)
        return None

    def metadata(self, wheel: Wheel) -> bytes:
        """The metadata that a wheel of this source has.

        Raises BuildFailed, SourceRefused and what ``fetch_source`` raises.
        """
        site = self._site(wheel, self._accepted[wheel.name])
        if site.metadata is None:
            site.metadata = static_metadata(site.tree)
        if site.metadata is None:
            self.reporter.building(wheel.file.filename, "metadata")
            flags = self._prepare(wheel, site)
            system = read_build_system(wheel.name, site.tree)
            site.metadata = site.place.metadata(site.tree, system, flags, self._terms())
        return site.metadata

    def build(self, solutions: Sequence[Solution]) -> tuple[Solution, ...]:
        """The same, with a wheel in the place of each source. Raises what ``metadata`` raises."""
        return tuple(
            replace(
                solution,
                packages=tuple(
                    replace(
                        package,
                        wheels=tuple(
                            self._stand_in(wheel, target)
                            for wheel, target in zip(
                                package.wheels, solution.environment.targets, strict=True
                            )
                        ),
                    )
                    for package in solution.packages
                ),
            )
            for solution in solutions
        )

    def _stand_in(self, wheel: Wheel, target: Target) -> Wheel:
        if not wheel.file.is_source:
            return wheel
        site = self._site(wheel, target)
        if site.built is None:
            site.built = self._known(wheel, target) or self._build(wheel, target)
            self.built[site.built.wheel.filename] = site.built
        return replace(wheel, file=site.built.wheel)

    def _known(self, wheel: Wheel, target: Target) -> Built | None:
        """The build of an earlier lock, where all that it depends on is as it was."""
        site = self._site(wheel, target)
        for known in self.known:
            record = known.record
            lock = os.path.join(self.folder, record.lock) if record.lock else None
            flags = self.policy.flags(wheel.name, record.backend)
            with suppress(OSError):
                is_it = self._key(site, flags, lock) == record.key
                if is_it and sha256_of(known.path) == known.sha256:
                    return self._place(wheel, site, known.path, record)
        return None

    def _build(self, wheel: Wheel, target: Target) -> Built:
        site = self._site(wheel, target)
        flags = self._prepare(wheel, site)
        system = read_build_system(wheel.name, site.tree)
        runs: list[tuple[Artifact, Outcome]] = []
        demand: dict[int, int] = {}
        plan = [flags.jobs] * RUNS
        if self.policy.measured_jobs > flags.jobs:
            plan.append(self.policy.measured_jobs)
        for number, jobs in enumerate(plan):
            self.reporter.building(
                wheel.file.filename, f"run {number + 1} of {len(plan)}, jobs {jobs}"
            )
            tree = site.place.tree(site.source)
            told = flags if jobs == flags.jobs else with_jobs(flags, system.backend, jobs)
            artifact, outcome = site.place.wheel(
                tree, system, told, self._terms(), version=str(wheel.version)
            )
            shutil.rmtree(tree, ignore_errors=True)
            demand[jobs] = max(demand.get(jobs, 0), outcome.demand)
            runs.append((artifact, outcome))
        made, _ = runs[0]
        figures = [outcome for _, outcome in runs[:RUNS]]
        record = BuildRecord(
            key=self._key(site, flags, site.lock),
            wheel=made.filename,
            backend=system.backend,
            flags=flags,
            lock=os.path.basename(site.lock) if site.lock else None,
            demand=demand,
            charged_peak=max((one.charged_peak or 0 for one in figures), default=0) or None,
            seconds=round(max(one.seconds for one in figures), 1),
            native=made.native,
            measured_on=describe(site.place.environment.interpreter.target, system.backend),
        )
        self.reporter.built(wheel.file.filename, record)
        return self._place(wheel, site, made.path, record)

    def _prepare(self, wheel: Wheel, site: _Site) -> BuildFlags:
        """Install what the source is built with, locked; the flags."""
        system = read_build_system(wheel.name, site.tree)
        flags = self.policy.flags(wheel.name, system.backend)
        if site.is_ready:
            return flags
        name = f"build-{wheel.name}"
        others = [one for one in self._sites.values() if one.place.package == wheel.name]
        if any(one.host != site.host and one.lock for one in others):
            name += f"-{site.host.target.tags[0].interpreter}"
        wanted = list(system.requires)
        if wanted:
            site.lock = self.requirements(name, wanted, site.host.target)
            site.place.install(site.lock)
        more = site.place.backend(site.tree, system, flags, self._terms()).requires()
        if set(more) - set(wanted):
            site.lock = self.requirements(name, [*wanted, *more], site.host.target)
            site.place.install(site.lock)
        site.is_ready = True
        return flags

    def _site(self, wheel: Wheel, target: Target) -> _Site:
        host = self._hosts.find(target)
        assert host is not None
        key = wheel.file.url, host.python
        if key not in self._sites:
            place = self._stack.enter_context(Workplace.opened(wheel.name, host.python))
            path, digest = fetch_source(self.client, wheel.file, place.folder)
            self._sites[key] = _Site(place, host, path, digest, place.tree(path))
        return self._sites[key]

    def _place(self, wheel: Wheel, site: _Site, path: str, record: BuildRecord) -> Built:
        """Put the wheel where it is kept, and tell of it as an index would."""
        keep = self.policy.wheelhouse is not None
        folder = os.path.join(self.folder, self.policy.wheelhouse or "")
        if not keep:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        os.makedirs(folder, exist_ok=True)
        kept = os.path.join(folder, record.wheel)
        if os.path.realpath(kept) != os.path.realpath(path):
            shutil.copyfile(path, f"{kept}.part")
            os.replace(f"{kept}.part", kept)
        prefix = self.policy.wheelhouse_url
        entry = {
            "url": f"file://{kept}",
            "requires-python": wheel.file.requires_python,
            "yanked": wheel.file.entry.get("yanked", False),
        }
        return Built(
            source=wheel.file,
            sha256=site.sha256,
            size=os.path.getsize(site.source),
            wheel=ProjectFile(record.wheel, "", entry, wheel.file.index, path=kept),
            record=record,
            url=f"{prefix.rstrip('/')}/{record.wheel}" if prefix else None,
            is_kept=keep,
        )

    def _key(self, site: _Site, flags: BuildFlags, lock: str | None) -> str:
        """A digest of all that the wheel depends on. Raises OSError."""
        content = b""
        if lock is not None:
            with open(lock, "rb") as file:
                content = file.read()
        told = {
            "source": site.sha256,
            "flags": flags.to_table(),
            "lock": hashlib.sha256(content).hexdigest(),
            "target": site.host.target.to_table(),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def _terms(self) -> Terms:
        return Terms(seconds=self.policy.seconds, network=self.policy.network)
