"""Builds: how a wheel was made from source, and what that took, as the lock tells it.

The planner measures and writes it into ``[packages.tool.lockstream.build]``, by wheel; the
executor builds by it and decides with it. As all tool data it is disposable (PEP 751): it never
decides what gets installed, only whether and how a build may run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from packaging.tags import Tag
from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_wheel_filename,
)
from packaging.version import Version

from schemas.hints import TOOL_NAME

__all__ = [
    "FOREIGN_SHARE",
    "MARGIN",
    "SHARE",
    "BuildFlags",
    "BuildRecord",
    "ConfigSettings",
    "build_lock_name",
    "build_records",
    "foreseen",
    "project_name",
    "project_version",
    "suitable_record",
    "unhurried",
]

ConfigSettings = Mapping[str, str | list[str]]
"""What PEP 517 hands to each hook."""

SHARE = 0.05
"""Of a measured demand, how much more the same build may take elsewhere on a like machine. Twelve
packages, built again at one job, took between 2 % less and 1 % more."""

FOREIGN_SHARE = 0.25
"""The same where compiler, machine, Python or C library differ from those it was measured with."""

MARGIN = 32 << 20
"""Bytes beside the build: this program itself while it waits, and folders in the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFlags:
    """What a build is told."""

    config_settings: ConfigSettings = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """The variables set for it; of the others that steer compilers it sees none."""
    jobs: int = 1
    """Compilers at once."""

    def to_table(self) -> dict[str, Any]:
        """The TOML keys; what is empty is left out."""
        table: dict[str, Any] = {"jobs": self.jobs}
        if self.config_settings:
            table["config-settings"] = dict(sorted(self.config_settings.items()))
        if self.environment:
            table["environment"] = dict(sorted(self.environment.items()))
        return table

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> BuildFlags:
        """Read what ``to_table`` wrote; what is malformed counts as not given."""
        settings = table.get("config-settings")
        environment = table.get("environment")
        jobs = table.get("jobs")
        return cls(
            config_settings={
                str(key): value
                for key, value in (settings if isinstance(settings, Mapping) else {}).items()
                if _is_setting(value)
            },
            environment={
                str(key): value
                for key, value in (environment if isinstance(environment, Mapping) else {}).items()
                if isinstance(value, str)
            },
            jobs=jobs if type(jobs) is int and jobs > 0 else 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """One build that was made and measured."""

    key: str
    """Digest of all that the wheel depends on: source, flags, build lock, interpreter."""
    wheel: str
    """The file name of what was built."""
    backend: str
    flags: BuildFlags
    """At one job."""
    lock: str | None
    """The lock of the build requirements, relative to this one; None where there are none."""
    demand: Mapping[int, int]
    """By number of jobs, the bytes that all its processes held together at the peak, as far as
    the kernel cannot take them back: anonymous, tmpfs and kernel memory."""
    charged_peak: int | None
    """With page cache, where that could be measured. For information: it varies from run to run."""
    files: int = 0
    """Bytes of files, the compiler above all, that were in use at the peak. They are page cache:
    with less room the build ends too, after reading them again and again."""
    seconds: float
    """At one job."""
    native: tuple[str, ...]
    """The native modules in the wheel, sorted."""
    measured_on: Mapping[str, str]
    """What the figures depend on: compiler, machine, Python, C library."""
    source: str = ""
    """The direct reference that it was built of, where it was: a repository, an archive."""
    commit: str = ""
    """Of the repository."""

    @property
    def version(self) -> Version:
        """That of the wheel. Raises InvalidWheelFilename."""
        return parse_wheel_filename(self.wheel)[1]

    @property
    def peak(self) -> int:
        """The demand in bytes at as few jobs as were measured."""
        return self.demand[min(self.demand)]

    def to_table(self) -> dict[str, Any]:
        """The TOML table, which stands under the file name of the wheel."""
        table: dict[str, Any] = {
            "key": self.key,
            "backend": self.backend,
            **self.flags.to_table(),
            "demand": {str(jobs): size for jobs, size in sorted(self.demand.items())},
            "seconds": self.seconds,
            "measured-on": dict(sorted(self.measured_on.items())),
        }
        if self.lock is not None:
            table["lock"] = self.lock
        if self.charged_peak is not None:
            table["charged-peak"] = self.charged_peak
        if self.files:
            table["files"] = self.files
        if self.native:
            table["native"] = list(self.native)
        if self.source:
            table["source"] = self.source
        if self.commit:
            table["commit-id"] = self.commit
        return table

    @classmethod
    def from_table(cls, wheel: str, table: object) -> BuildRecord | None:
        """Read what ``to_table`` wrote of the build of ``wheel``; None where it is not usable."""
        if not isinstance(table, Mapping):
            return None
        try:
            if not table["demand"]:
                return None
            charged = table.get("charged-peak")
            lock = table.get("lock")
            return cls(
                key=str(table["key"]),
                wheel=wheel,
                backend=str(table["backend"]),
                flags=BuildFlags.from_table(table),
                lock=str(lock) if lock is not None else None,
                demand={int(jobs): int(size) for jobs, size in table["demand"].items()},
                files=int(table.get("files", 0)),
                charged_peak=int(charged) if charged is not None else None,
                seconds=float(table["seconds"]),
                native=tuple(map(str, table.get("native", ()))),
                measured_on={str(k): str(v) for k, v in table["measured-on"].items()},
                source=str(table.get("source", "")),
                commit=str(table.get("commit-id", "")),
            )
        except (KeyError, ValueError, TypeError, AttributeError):
            return None


def build_records(tool: Mapping[str, Any] | None) -> tuple[BuildRecord, ...]:
    """The builds in a package's ``tool`` table, by the file names of what was built."""
    table: object = tool
    for key in (TOOL_NAME, "build"):
        table = table.get(key) if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping):
        return ()
    found = (BuildRecord.from_table(name, one) for name, one in sorted(table.items()))
    return tuple(record for record in found if record)


def build_lock_name(package: str) -> str:
    """The file name of the lock of what ``package`` is built with."""
    return f"pylock.build-{package}.toml"


def project_name(document: Mapping[str, Any]) -> NormalizedName | None:
    """The name that a ``pyproject.toml`` gives its project."""
    name = _project_key(document, "name")
    return canonicalize_name(name) if name else None


def project_version(document: Mapping[str, Any]) -> str | None:
    """The version that a ``pyproject.toml`` gives its project; None where the build tells it."""
    return _project_key(document, "version")


def _project_key(document: Mapping[str, Any], key: str) -> str | None:
    """From the standard table, or the one that poetry had before it."""
    for path in (("project",), ("tool", "poetry")):
        table: object = document
        for part in path:
            table = table.get(part) if isinstance(table, Mapping) else None
        if isinstance(table, Mapping) and isinstance(value := table.get(key), str):
            return value
    return None


def suitable_record(tool: Mapping[str, Any] | None, tags: Collection[Tag]) -> BuildRecord | None:
    """The build whose wheel suits a target with these tags, if a package's ``tool`` table tells of
    one.
    """
    for record in build_records(tool):
        with suppress(InvalidWheelFilename):
            if not parse_wheel_filename(record.wheel)[3].isdisjoint(tags):
                return record
    return None


def foreseen(demand: int, *, alike: bool = True) -> int:
    """Bytes of memory without which a build of this measured demand is not begun; ``alike`` tells
    whether compiler, machine, Python and C library are those it was measured with.
    """
    return demand + int(demand * (SHARE if alike else FOREIGN_SHARE)) + MARGIN


def unhurried(demand: int, files: int) -> int:
    """Bytes of memory in which a build of this measured demand need not read ``files``, its
    compiler's, again and again.
    """
    return demand + files + MARGIN


def _is_setting(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(one, str) for one in value)
    )
