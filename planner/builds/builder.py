"""Workshop: sources in, metadata and measured wheels out.

Nothing of a source is run before it is needed: its own static metadata is asked first, and what is
built is what was chosen in the end. One build runs at a time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Self

from packaging.utils import NormalizedName

from executor import Workspace, stoppable
from planner.builds.interpreters import Interpreter, Interpreters
from planner.builds.policy import BuildPolicy
from planner.builds.sdist import archive_suffix, fetch_source, sha256_of
from planner.builds.source_build import Requirements, SourceBuild
from planner.builds.source_tree import fetch_tree
from planner.index.client import IndexClient
from planner.index.pages import ProjectFile, ProjectPage
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement
from planner.lock.built import Built, KnownBuild
from planner.metadata.core_metadata import InvalidMetadata, parse_metadata
from planner.metadata.distribution import Distribution
from planner.model.direct_reference import DirectReference
from planner.model.environments import MarkerEnvironment
from planner.planning.reporter import Reporter
from planner.resolver.direct import TreeUnbuildable
from planner.resolver.solve import Solution
from schemas.builds import BuildRecord
from schemas.target import Target

__all__ = ["Builder"]


@dataclass(kw_only=True)
class Builder:
    """Builds for one plan. A context that ends with its folders removed, though it be by a signal
    that asks to stop; for the main thread.
    """

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
    _hosts: Interpreters = field(default_factory=Interpreters)
    _accepted: dict[str, Target] = field(default_factory=dict)
    """By project, a target that it may be built for."""
    _origins: dict[tuple[NormalizedName, str], DirectReference] = field(default_factory=dict)
    """What direct references lead to, by project and address."""
    _sites: dict[tuple[str, str, str], SourceBuild] = field(default_factory=dict)
    """By project, address and interpreter."""
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self._stack.enter_context(stoppable())
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
                "a container of that kind, and add it to the lock with --merge-into"
            )
        self._accepted.setdefault(project, target)
        return None

    def with_known(
        self, page: ProjectPage, environments: Sequence[MarkerEnvironment]
    ) -> ProjectPage:
        """The same, and the wheels that an earlier plan has built of its sources for those targets
        that this machine cannot build for.
        """
        targets = (target for environment in environments for target in environment.targets)
        foreign = [target for target in targets if self._hosts.find(target) is None]
        files = {version: list(its) for version, its in page.files.items()}
        for known in self.known:
            if known.is_of(page) and any(map(known.suits, foreign)) and (built := known.to_built()):
                self.built[built.wheel.filename] = built
                files.setdefault(str(known.record.version), []).append(built.wheel)
        return replace(page, files=files)

    def open_tree(self, requirement: InputRequirement, target: Target) -> ProjectFile:
        """The source that ``requirement`` gives the address of, as if an index had it: of the
        version that its metadata tells.

        Raises TreeUnbuildable, InvalidRequirementLine, BuildFailed, and what ``fetch_tree`` raises.
        """
        name, url = requirement.name, requirement.requirement.url
        assert url is not None
        hashes = tuple(
            (kind, digest)
            for kind, _, digest in (one.partition(":") for one in sorted(requirement.hashes))
        )
        origin = DirectReference.parse(url, hashes)
        if reason := self.refuse(name, target):
            if wheel := self._built_elsewhere(name, origin, target):
                return wheel
            raise TreeUnbuildable(requirement.origin, name, reason)
        entry = {"url": origin.reference}
        self._origins.setdefault((name, ProjectFile("", "", entry).url), self._pinned(origin))
        found = self._site_of(name, ProjectFile(name, "", entry), target)
        try:
            metadata = parse_metadata(found.metadata())
        except InvalidMetadata as error:
            raise InvalidRequirementLine(requirement.origin, f"{name}: {error}") from None
        if metadata.name != name:
            raise InvalidRequirementLine(
                requirement.origin, f"what is there is {metadata.name}, not {name}"
            )
        return ProjectFile(
            f"{name}-{metadata.version}.tar.gz",
            "",
            {**entry, "requires-python": metadata.requires_python},
            is_direct=True,
        )

    def _built_elsewhere(
        self, name: NormalizedName, origin: DirectReference, target: Target
    ) -> ProjectFile | None:
        """The wheel that an earlier plan has built of ``origin`` for ``target``."""
        for known in self.known:
            is_it = known.name == name and known.record.source == origin.told_from(self.folder)
            if is_it and known.suits(target):
                built = known.to_built(origin.at(known.record.commit))
                if built is not None:
                    self.built[built.wheel.filename] = built
                    return built.wheel
        return None

    def _pinned(self, origin: DirectReference) -> DirectReference:
        """At the commit of an earlier lock, if that tells of one."""
        records = (known.record for known in self.known)
        commits = (one.commit for one in records if one.source == origin.told_from(self.folder))
        return origin.at(next(commits, ""))

    def metadata(self, wheel: Distribution) -> bytes:
        """The metadata that a wheel of this source has.

        Raises BuildFailed, SourceRefused and what ``fetch_source`` raises.
        """
        return self._site(wheel, self._accepted[wheel.name]).metadata()

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

    def _stand_in(self, wheel: Distribution, target: Target) -> Distribution:
        if not wheel.file.is_source:
            return wheel
        site = self._site(wheel, target)
        if site.built is None:
            site.built = self._known(wheel, target) or self._build(wheel, target)
            self.built[site.built.wheel.filename] = site.built
        return replace(wheel, file=site.built.wheel)

    def _known(self, wheel: Distribution, target: Target) -> Built | None:
        """The build of an earlier lock, where all that it depends on is as it was."""
        site = self._site(wheel, target)
        for known in (one for one in self.known if one.suits(target)):
            record = known.record
            lock = os.path.join(self.folder, record.lock) if record.lock else None
            flags = self.policy.flags(wheel.name, record.backend)
            with suppress(OSError):
                is_it = site.key(flags, lock) == record.key
                if is_it and sha256_of(known.path) == known.sha256:
                    return self._place(wheel, site, known.path, record)
        return None

    def _build(self, wheel: Distribution, target: Target) -> Built:
        site = self._site(wheel, target)
        made, record = site.measure(str(wheel.version))
        return self._place(wheel, site, made.path, record)

    def open_site(
        self, name: str, label: str, host: Interpreter, source: str, sha256: str
    ) -> SourceBuild:
        """Where the source of a package is built; closed with this."""
        place = self._stack.enter_context(Workspace.opened(name, host.python))
        return self._site_at(place, label, host, source, sha256)

    def _site(self, wheel: Distribution, target: Target) -> SourceBuild:
        return self._site_of(wheel.name, wheel.file, target)

    def _site_of(self, name: NormalizedName, file: ProjectFile, target: Target) -> SourceBuild:
        host = self._hosts.find(target)
        assert host is not None
        key = name, file.url, host.python
        if key not in self._sites:
            place = self._stack.enter_context(Workspace.opened(name, host.python))
            site = self._begin(place, host, name, file)
            others = [one for one in self._sites.values() if one.place.package == name]
            if any(one.host != host for one in others):
                site.lock_name += f"-{host.target.tags[0].interpreter}"
            self._sites[key] = site
        return self._sites[key]

    def _begin(
        self, place: Workspace, host: Interpreter, name: NormalizedName, file: ProjectFile
    ) -> SourceBuild:
        origin = self._origins.get((name, file.url))
        if origin is None:
            path, digest = fetch_source(self.client, file, place.folder)
            return self._site_at(place, file.filename, host, path, digest)
        found = fetch_tree(origin, name, self.client, place.folder)
        if origin.kind == "vcs":
            # A branch may have gone on when the next interpreter asks.
            self._origins[name, file.url] = origin.at(found.digest)
        label = f"{name} ({origin.reference})"
        return self._site_at(place, label, host, found.path, found.digest, origin.subdirectory)

    def _site_at(
        self,
        place: Workspace,
        label: str,
        host: Interpreter,
        source: str,
        sha256: str,
        subdirectory: str = "",
    ) -> SourceBuild:
        return SourceBuild(
            place=place,
            host=host,
            label=label,
            source=source,
            sha256=sha256,
            subdirectory=subdirectory,
            tree=place.tree(source, subdirectory),
            policy=self.policy,
            requirements=self.requirements,
            keychain=self.client.keychain,
            reporter=self.reporter,
            lock_name=f"build-{place.package}",
        )

    def _place(
        self, wheel: Distribution, site: SourceBuild, path: str, record: BuildRecord
    ) -> Built:
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
        source = wheel.file
        origin = self._origins.get((wheel.name, source.url))
        if origin is not None:
            record = replace(record, source=origin.told_from(self.folder), commit=origin.commit)
            name = f"{wheel.name}-{wheel.version}{archive_suffix(site.source)}"
            source = replace(source, filename=name, path=origin.path)
        entry = {
            "url": f"file://{kept}",
            "requires-python": wheel.file.requires_python,
            "yanked": wheel.file.entry.get("yanked", False),
        }
        return Built(
            source=source,
            sha256=site.sha256,
            size=os.path.getsize(site.source),
            wheel=ProjectFile(record.wheel, "", entry, wheel.file.index, path=kept),
            record=record,
            url=f"{prefix.rstrip('/')}/{record.wheel}" if prefix else None,
            origin=origin,
            is_kept=keep,
        )
