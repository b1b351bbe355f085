"""The builds that a lock leaves to other machines: one unit for each wheel that it does not have.

A unit can be computed from the lock alone. So the machine that needs a wheel, the one that makes it
and the one that looks for it in a store come to the same key.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from packaging.pylock import Package, Pylock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.builds.build_request import BuildRequest
from planner.builds.policy import BuildPolicy, spelled
from planner.inputs.build_settings import BuildSetting, read_build_settings
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement
from planner.inputs.recorded_options import options_from_table
from planner.model.direct_reference import DirectReference
from planner.review.recorded import recorded_table
from schemas.builds import BuildRecord, build_records, foreseen, suitable_record
from schemas.data_class import frozen, with_fields
from schemas.errors import InvalidInput, UsageError
from schemas.lock import archive_filename, recorded_targets
from schemas.markers import holds
from schemas.target import Target
from schemas.urls import without_credentials
from schemas.wheel_filename import parse_wheel_filename

__all__ = [
    "MEMORY_CLASSES",
    "BuildUnit",
    "UnitSource",
    "next_class",
    "recorded_build_policy",
    "target_label",
    "units_of",
]


_FORMAT = 1
"""Part of every key: a change of what a unit means makes all keys new."""

MEMORY_CLASSES = tuple(size << 29 for size in (1, 2, 4, 8, 16, 32, 64))
"""Bytes that are requested for a build that was never measured, and after it was killed for lack
of memory: 512 MiB to 32 GiB. The twelve builds in docs/builds.md take less than the first."""


@frozen(kw_only=True)
class UnitSource:
    """What one wheel is built from, as the lock lists it."""

    kind: Literal["sdist", "archive", "vcs"]
    filename: str
    """The name of a source distribution; else empty."""
    address: str
    """A URL without credentials, or a path relative to the folder of the lock."""
    sha256: str
    """Empty for a repository."""
    size: int | None
    """Bytes."""
    commit: str = ""
    """Of a repository."""
    subdirectory: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields that have a value."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in fields.items() if value not in {"", None}}

    def reference(self, folder: str) -> DirectReference:
        """Return its address in a lock in ``folder``, for a source that is not of an index."""
        prefix = "git+" if self.kind == "vcs" else ""
        place = self.address
        if "://" not in place:
            place = f"file://{os.path.abspath(os.path.join(folder, place))}"
        part = f"#subdirectory={self.subdirectory}" if self.subdirectory else ""
        hashes = (("sha256", self.sha256),) if self.sha256 else ()
        return DirectReference.parse(f"{prefix}{place}{part}", hashes).at(self.commit)


@frozen(kw_only=True)
class BuildUnit:
    """The build of one wheel, on any machine of the kind of its target."""

    name: NormalizedName
    version: Version | None
    """None if only the build of a repository tells it."""
    target: Target
    source: UnitSource
    record: BuildRecord | None
    """What an earlier build took; None if it was never measured."""
    key: str
    """A digest of all that the lock says of it."""
    family: str
    """A digest of all that but the target: builds that share it may make one wheel."""

    @property
    def requirement(self) -> str:
        """Its package as the command line names it."""
        return f"{self.name}=={self.version}" if self.version else self.name

    @property
    def request(self) -> int:
        """Bytes of memory to reserve for it: what was measured and a margin, or the first class."""
        return foreseen(self.record.peak) if self.record else MEMORY_CLASSES[0]

    @property
    def limit(self) -> int:
        """Bytes of memory with which it also reads its compiler only once."""
        return self.request + (self.record.files if self.record else 0)

    def is_served_by(self, wheel: str) -> bool:
        """Return whether the wheel of this file name suits the target."""
        return not parse_wheel_filename(wheel)[3].isdisjoint(self.target.tags)

    def to_json(self) -> dict[str, Any]:
        """Return all that another program needs to run it."""
        table: dict[str, Any] = {
            "key": self.key,
            "package": self.name,
            "version": str(self.version) if self.version else None,
            "target": {"name": target_label(self.target), **self.target.to_table()},
            "source": self.source.to_json(),
            "request": self.request,
            "limit": self.limit,
            "measured": self.record is not None,
        }
        if self.record is not None:
            record = self.record.to_table()
            names = ("wheel", "lock", "demand", "files", "seconds", "jobs")
            table |= {name: record[name] for name in names if name in record}
            table["wheel"] = self.record.wheel
            table["flags"] = self.record.flags.to_table()
        return table


@with_fields
class _SourceUnhashed(InvalidInput):
    """A lock lists a source by which two machines cannot know that they build the same."""

    package: str
    hint: str = "lock it with a tool that records sha256, such as lockstream plan"

    def __str__(self) -> str:
        return f"{self.package}: the lock has no sha256 of the source that it is built from"


def next_class(request: int) -> int | None:
    """Return the smallest memory class (bytes) above ``request``; None if there is none."""
    return next((size for size in MEMORY_CLASSES if size > request), None)


def target_label(target: Target) -> str:
    """Return the short name of a target: ``cp312-manylinux_2_28_x86_64``."""
    tag = target.tags[0]
    python = tag.abi if tag.abi.startswith(tag.interpreter) else tag.interpreter
    return f"{python}-{target.platform}"


def recorded_build_policy(lock: Pylock) -> BuildPolicy:
    """Return what ``lock`` records of how its builds are done. Raises UsageError."""
    request = options_from_table(BuildRequest, recorded_table(lock, "options").get("build"))
    builds = recorded_table(lock, "policy").get("build")
    builds = builds if isinstance(builds, Mapping) else {}
    settings: Mapping[str, BuildSetting] = {}
    with suppress(ValueError):
        settings = read_build_settings(builds.get("settings", {}))
    # Their files may not be on this machine; the lock has their lines.
    limits = builds.get("constraints")
    constraints = tuple(_constraints(limits if isinstance(limits, list) else ()))
    policy = replace(request, constraints=()).resolve(settings)
    return replace(policy, constraints=constraints)


def _constraints(lines: Iterable[object]) -> Iterator[InputRequirement]:
    for line in lines:
        text, *hashes = str(line).split(" --hash=")
        try:
            requirement = Requirement(text)
            yield InputRequirement(
                requirement=requirement, origin="the lock", hashes=frozenset(hashes)
            )
        except InvalidRequirement:
            raise InvalidRequirementLine("the lock", f"{line!r} is not a constraint") from None


def units_of(lock: Pylock, targets: Sequence[Target] = ()) -> tuple[BuildUnit, ...]:
    """Return the builds that ``lock`` leaves to others, with all extras and groups; for
    ``targets``, by default those that it records.

    Sorted by package and target. Raises UsageError if the lock records no targets and none are
    given, or lists a folder, which only this machine has.
    """
    targets = targets or recorded_targets(lock)
    if not targets:
        raise UsageError(
            "the lock does not record its targets",
            hint="name them with --python-version and --platform",
        )
    policy = recorded_build_policy(lock)
    found = (
        unit
        for package in lock.packages
        for target in targets
        if _is_needed(package, lock, target)
        and not _has_wheel(package, target)
        and (unit := _unit(package, target, policy))
    )
    return tuple(sorted(found, key=lambda unit: (unit.name, target_label(unit.target))))


def _is_needed(package: Package, lock: Pylock, target: Target) -> bool:
    environment: dict[str, Any] = {
        **target.environment,
        "extras": frozenset(lock.extras or ()),
        "dependency_groups": frozenset(lock.dependency_groups or ()),
    }
    return holds(package.marker, environment, subject=package.name)


def _has_wheel(package: Package, target: Target) -> bool:
    if package.archive is not None:
        # A wheel is nothing to build, also if it is for another target.
        return archive_filename(package.archive).endswith(".whl")
    names = (wheel.filename for wheel in package.wheels or ())
    return any(not parse_wheel_filename(name)[3].isdisjoint(target.tags) for name in names)


def _unit(package: Package, target: Target, policy: BuildPolicy) -> BuildUnit | None:
    source = _source(package)
    if source is None:
        return None
    record = suitable_record(package.tool, target.tags)
    causes = {
        "format": _FORMAT,
        "package": package.name,
        "source": source.sha256 or source.commit,
        "subdirectory": source.subdirectory,
        "settings": list(_settings(package.name, policy)),
        "constraints": spelled(policy.constraints),
    }
    version = package.version or (record.version if record else None)
    return BuildUnit(
        name=package.name,
        version=version,
        target=target,
        source=source,
        record=record,
        key=_digest({**causes, "target": target.to_table()}),
        family=_digest(causes),
    )


def _digest(causes: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(causes, sort_keys=True).encode()).hexdigest()


def _settings(name: str, policy: BuildPolicy) -> Iterator[Any]:
    yield policy.defaults
    yield policy.measured_jobs
    for settings in (
        policy.configured.get(name),
        policy.requested.get(""),
        policy.requested.get(name),
    ):
        yield settings.to_table() if settings else None


def _source(package: Package) -> UnitSource | None:
    if package.directory is not None:
        raise UsageError(
            f"{package.name} is the folder {package.directory.path}, which other machines do not "
            "have",
            hint="build it here (lockstream plan --build), or name a repository or an archive",
        )
    if package.vcs is not None:
        return UnitSource(
            kind="vcs",
            filename="",
            address=package.vcs.url or package.vcs.path or "",
            sha256="",
            size=None,
            commit=package.vcs.commit_id,
            subdirectory=package.vcs.subdirectory or "",
        )
    file = package.archive or package.sdist
    if file is not None:
        if "sha256" not in file.hashes:
            raise _SourceUnhashed(package.name)
        return UnitSource(
            kind="archive" if package.archive else "sdist",
            filename="" if package.archive else package.sdist.filename if package.sdist else "",
            address=without_credentials(file.url) if file.url else (file.path or ""),
            sha256=file.hashes["sha256"],
            size=file.size,
            subdirectory=(package.archive.subdirectory or "") if package.archive else "",
        )
    return _recorded_source(package)


def _recorded_source(package: Package) -> UnitSource | None:
    """Return the repository or archive that wheels for other targets were built from: a package
    with wheels cannot list it, so only their records name it.
    """
    for record in build_records(package.tool):
        reference = DirectReference.parse(record.source) if record.source else None
        if reference and record.commit:
            return UnitSource(
                kind="vcs",
                filename="",
                address=reference.url if reference.path is None else reference.address,
                sha256="",
                size=None,
                commit=record.commit,
                subdirectory=reference.subdirectory,
            )
    return None
