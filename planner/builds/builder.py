"""The builder of a plan: it takes sources and returns their metadata and measured wheels.

No code of a source runs before it is needed: static metadata is preferred, and only the packages of
the solution are built. One build runs at a time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Self

from packaging.utils import NormalizedName

from executor import Workspace, stoppable
from planner.builds.earlier_builds import EarlierBuilds
from planner.builds.interpreters import Interpreter, Interpreters
from planner.builds.policy import BuildPolicy
from planner.builds.replaced_file import replaced
from planner.builds.sdist import archive_suffix, fetch_source
from planner.builds.source_build import Requirements, SourceBuild
from planner.builds.source_tree import fetch_tree
from planner.index.client import IndexClient
from planner.index.pages import ProjectFile, ProjectPage
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement
from planner.lock.built import Built, KnownBuild, LockedSource
from planner.lock.source_entries import lockable_url
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


_KINDS = {"vcs": "repository", "directory": "folder"}


@dataclass(kw_only=True)
class Builder:
    """The builds of one plan. A context manager that removes its folders at the end, even if a
    signal ends the plan; for the main thread only.
    """

    policy: BuildPolicy
    client: IndexClient
    requirements: Requirements
    folder: str
    """The folder of the lock."""
    known: Sequence[KnownBuild] = ()
    """Builds of an earlier lock."""
    reporter: Reporter = field(default_factory=Reporter)
    built: dict[str, Built] = field(default_factory=dict)
    """By the file name of the wheel."""
    sources: dict[str, LockedSource] = field(default_factory=dict)
    """By address, the sources that wheels have yet to be built from."""
    _interpreters: Interpreters = field(default_factory=Interpreters)
    _accepted: dict[str, Target] = field(default_factory=dict)
    """By project, a target that it may be built for."""
    _references: dict[tuple[NormalizedName, str], DirectReference] = field(default_factory=dict)
    """The direct references of the inputs, by project and address."""
    _source_builds: dict[tuple[str, str, str], SourceBuild] = field(default_factory=dict)
    """By project, address and interpreter."""
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def _earlier(self) -> EarlierBuilds:
        return EarlierBuilds(known=self.known, policy=self.policy, folder=self.folder)

    def __enter__(self) -> Self:
        self._stack.enter_context(stoppable())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def refuse(self, project: NormalizedName, target: Target) -> str | None:
        """Return why no wheel of ``project`` may be built for ``target``; None if one may."""
        if project not in self.policy.allowed:
            return "it is a source distribution, and only wheels are used (--build allows it)"
        if not self.policy.deferred and self._interpreters.find(target) is None:
            return (
                "it is a source distribution, and a wheel for "
                f"{target} can only be built on such a machine: plan for that target there, or in "
                "a container of that kind, and add it to the lock with --merge-into; or leave it "
                "to other machines with --defer-builds"
            )
        self._accepted.setdefault(project, target)
        return None

    def with_known(
        self, page: ProjectPage, environments: Sequence[MarkerEnvironment]
    ) -> ProjectPage:
        """Return ``page`` with the wheels that an earlier plan has built from its sources for
        targets that it does not build for itself.
        """
        targets = (target for environment in environments for target in environment.targets)
        foreign = [target for target in targets if self._is_elsewhere(target)]
        files = {version: list(its) for version, its in page.files.items()}
        for built in self._earlier.of_page(page, foreign):
            self.built[built.wheel.filename] = built
            files.setdefault(str(built.record.version), []).append(built.wheel)
        return replace(page, files=files)

    def open_tree(self, requirement: InputRequirement, target: Target) -> ProjectFile:
        """Return the source at the address of ``requirement`` as a file of an index would be, with
        the version of its metadata.

        Raise TreeUnbuildable, InvalidRequirementLine, BuildFailed, or what ``fetch_tree`` raises.
        """
        name, url = requirement.name, requirement.requirement.url
        assert url is not None
        # Of several hashes any may be the right one, so none of them is a promise.
        hashes = requirement.hashes if len(requirement.hashes) == 1 else ()
        pairs = tuple((kind, digest) for kind, _, digest in (one.partition(":") for one in hashes))
        reference = DirectReference.parse(url, pairs)
        if requirement.hashes and reference.kind != "archive":
            raise InvalidRequirementLine(
                requirement.origin,
                f"the hash of a {_KINDS[reference.kind]} cannot be checked",
                hint="leave out --hash; a commit in the address pins a repository",
            )
        reason = self.refuse(name, target)
        is_elsewhere = reason or self.policy.deferred
        if is_elsewhere and (built := self._earlier.of_reference(name, reference, target)):
            self.built[built.wheel.filename] = built
            return built.wheel
        hint = "do one of these" if name in self.policy.allowed else f"allow it with --build {name}"
        if self.policy.deferred and reference.kind == "directory":
            reason = "it is a folder of this machine, which others cannot build from"
            hint = "build it here (--no-defer-builds)"
        if reason:
            hint += ", or name a wheel of it"
            raise TreeUnbuildable(requirement.origin, name, reason, hint)
        entry = {"url": reference.reference}
        pinned = self._earlier.pinned(reference)
        self._references.setdefault((name, ProjectFile("", "", entry).url), pinned)
        found = self._source_build(name, ProjectFile(name, "", entry), target)
        try:
            metadata = parse_metadata(found.metadata())
        except InvalidMetadata as error:
            raise InvalidRequirementLine(requirement.origin, f"{name}: {error}") from None
        if metadata.name != name:
            raise InvalidRequirementLine(
                requirement.origin, f"what is there is {metadata.name}, not {name}"
            )
        digests = {"sha256": found.sha256} if reference.kind == "archive" else {}
        return ProjectFile(
            f"{name}-{metadata.version}.tar.gz",
            "",
            {**entry, "requires-python": metadata.requires_python, "hashes": digests},
            is_direct=True,
        )

    def _is_elsewhere(self, target: Target) -> bool:
        return self.policy.deferred or self._interpreters.find(target) is None

    def metadata(self, wheel: Distribution) -> bytes:
        """Return the metadata that a wheel of this source has.

        Raise BuildFailed, SourceRefused, or what ``fetch_source`` raises.
        """
        return self._build_of(wheel, self._accepted[wheel.name]).metadata()

    def build(self, solutions: Sequence[Solution]) -> tuple[Solution, ...]:
        """Return the solutions with wheels instead of sources. Raise what ``metadata`` raises, and
        SecretInURL before any build.
        """
        chosen = (
            wheel for one in solutions for package in one.packages for wheel in package.wheels
        )
        for file in (wheel.file for wheel in chosen):
            if file.is_source and file.path is None:
                lockable_url(file.url, file.filename)
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
        build = self._build_of(wheel, target)
        if self.policy.deferred:
            self.sources[wheel.file.url] = self._locked_source(wheel, build)
            return wheel
        if build.built is None:
            build.built = self._known(wheel, target) or self._build(wheel, target)
            self.built[build.built.wheel.filename] = build.built
        return replace(wheel, file=build.built.wheel)

    def _known(self, wheel: Distribution, target: Target) -> Built | None:
        """Return the build of an earlier lock, if nothing that it depends on has changed."""
        build = self._build_of(wheel, target)
        known = self._earlier.of_build(wheel.name, build, target)
        return self._place(wheel, build, known.path, known.record) if known else None

    def _build(self, wheel: Distribution, target: Target) -> Built:
        build = self._build_of(wheel, target)
        built, record = build.measure(str(wheel.version))
        return self._place(wheel, build, built.path, record)

    def open_source(
        self,
        name: str,
        label: str,
        interpreter: Interpreter,
        source: str,
        sha256: str,
        subdirectory: str = "",
    ) -> SourceBuild:
        """Return the build of the source of a package; this builder closes it."""
        workspace = self._stack.enter_context(Workspace.opened(name, interpreter.python))
        return self._open_at(workspace, label, interpreter, source, sha256, subdirectory)

    def _build_of(self, wheel: Distribution, target: Target) -> SourceBuild:
        return self._source_build(wheel.name, wheel.file, target)

    def _source_build(self, name: NormalizedName, file: ProjectFile, target: Target) -> SourceBuild:
        interpreter = self._interpreters.find(target)
        if interpreter is None:
            # Only its metadata is read here, which does not depend on the machine in a rule.
            assert self.policy.deferred
            interpreter = self._interpreters.own
        key = name, file.url, interpreter.python
        if key not in self._source_builds:
            workspace = self._stack.enter_context(Workspace.opened(name, interpreter.python))
            build = self._begin(workspace, interpreter, name, file)
            others = [one for one in self._source_builds.values() if one.workspace.package == name]
            if any(one.interpreter != interpreter for one in others):
                build.lock_name += f"-{interpreter.target.tags[0].interpreter}"
            self._source_builds[key] = build
        return self._source_builds[key]

    def _begin(
        self,
        workspace: Workspace,
        interpreter: Interpreter,
        name: NormalizedName,
        file: ProjectFile,
    ) -> SourceBuild:
        reference = self._references.get((name, file.url))
        if reference is None:
            with workspace.space():
                path, digest = fetch_source(self.client, file, workspace.folder)
            return self._open_at(workspace, file.filename, interpreter, path, digest)
        with workspace.space():
            found = fetch_tree(reference, name, self.client, workspace.folder)
        if reference.kind == "vcs":
            # A branch may have new commits when the next interpreter fetches it.
            self._references[name, file.url] = reference.at(found.digest)
        label = f"{name} ({reference.reference})"
        return self._open_at(
            workspace, label, interpreter, found.path, found.digest, reference.subdirectory
        )

    def _open_at(
        self,
        workspace: Workspace,
        label: str,
        interpreter: Interpreter,
        source: str,
        sha256: str,
        subdirectory: str = "",
    ) -> SourceBuild:
        return SourceBuild(
            workspace=workspace,
            interpreter=interpreter,
            label=label,
            source=source,
            sha256=sha256,
            subdirectory=subdirectory,
            tree=workspace.tree(source, subdirectory),
            policy=self.policy,
            requirements=self.requirements,
            keychain=self.client.keychain,
            reporter=self.reporter,
            lock_name=f"build-{workspace.package}",
        )

    def _place(
        self, wheel: Distribution, build: SourceBuild, path: str, record: BuildRecord
    ) -> Built:
        """Move the wheel into the wheelhouse and describe it as an index would."""
        keep = self.policy.wheelhouse is not None
        folder = os.path.join(self.folder, self.policy.wheelhouse or "")
        if not keep:
            folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        os.makedirs(folder, exist_ok=True)
        kept = os.path.join(folder, record.wheel)
        if os.path.realpath(kept) != os.path.realpath(path):
            with replaced(kept) as part:
                shutil.copyfile(path, part)
        prefix = self.policy.wheelhouse_url
        source = self._locked_source(wheel, build)
        if (reference := source.reference) is not None:
            record = replace(
                record, source=reference.relative_to(self.folder), commit=reference.commit
            )
        entry = {
            "url": f"file://{kept}",
            "requires-python": wheel.file.requires_python,
            "yanked": wheel.file.entry.get("yanked", False),
        }
        return Built(
            source=source,
            wheel=ProjectFile(record.wheel, "", entry, wheel.file.index, path=kept),
            record=record,
            url=f"{prefix.rstrip('/')}/{record.wheel}" if prefix else None,
            is_kept=keep,
        )

    def _locked_source(self, wheel: Distribution, build: SourceBuild) -> LockedSource:
        """Return the source of ``wheel`` as the lock lists it."""
        file = wheel.file
        reference = self._references.get((wheel.name, file.url))
        if reference is not None:
            name = f"{wheel.name}-{wheel.version}{archive_suffix(build.source)}"
            file = replace(file, filename=name, path=reference.path)
        size = os.path.getsize(build.source)
        return LockedSource(file=file, sha256=build.sha256, size=size, reference=reference)
