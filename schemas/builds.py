"""How a wheel was built from source, and the memory and time that it took, as the lock records it.

The planner measures builds and writes ``[packages.tool.lockstream.build]``, by wheel; the executor
repeats them with the same flags and decides with the figures. Like all tool data it is disposable
(PEP 751): it never decides what is installed, only whether and how a build may run.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import field
from typing import Any

from packaging.tags import Tag
from packaging.utils import (
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
)
from packaging.version import Version

from schemas.data_class import frozen
from schemas.hints import tool_value
from schemas.wheel_filename import parse_wheel_filename

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
"""The settings that each hook of PEP 517 receives."""

SHARE = 0.05
"""Share of a measured demand that the same build may take more on a similar machine. Twelve
packages, built again at one job, took between 2 % less and 1 % more."""

FOREIGN_SHARE = 0.25
"""The same share if compiler, machine, Python or C library differ from those of the measurement."""

MARGIN = 32 << 20
"""Bytes besides the build: this program while it waits, and folders in the kernel."""


@frozen(kw_only=True)
class BuildFlags:
    """The settings, variables and jobs of one build."""

    config_settings: ConfigSettings = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    """The variables that are set for it; all others that steer compilers are removed."""
    jobs: int = 1
    """Number of compilers at once."""

    def to_table(self) -> dict[str, Any]:
        """Return the TOML keys, without empty values."""
        table: dict[str, Any] = {"jobs": self.jobs}
        if self.config_settings:
            table["config-settings"] = dict(sorted(self.config_settings.items()))
        if self.environment:
            table["environment"] = dict(sorted(self.environment.items()))
        return table

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> BuildFlags:
        """Return what ``to_table`` wrote; malformed values count as missing."""
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


@frozen(kw_only=True)
class BuildRecord:
    """One measured build, as the lock records it for one wheel."""

    key: str
    """Digest of everything that the wheel depends on: source, flags, build lock, interpreter."""
    wheel: str
    """File name of the wheel."""
    backend: str
    flags: BuildFlags
    """The flags at one job."""
    lock: str | None
    """Path of the lock of the build requirements, relative to this lock; None without any."""
    demand: Mapping[int, int]
    """Bytes that all its processes held together at the peak, by number of jobs: memory that the
    kernel cannot take back (anonymous, tmpfs, kernel)."""
    charged_peak: int | None
    """Bytes with page cache, if they could be measured. For information: they vary between runs."""
    files: int = 0
    """Bytes of files, mostly of the compiler, that were in use at the peak. They are page cache:
    with less memory the build still ends, after reading them again and again."""
    seconds: float
    """Duration at one job."""
    native: tuple[str, ...]
    """Native modules in the wheel, sorted."""
    measured_on: Mapping[str, str]
    """What the figures depend on: compiler, machine, Python, C library."""
    source: str = ""
    """The direct reference that it was built from (a repository, an archive), if any."""
    commit: str = ""
    """The commit of the repository."""

    @property
    def version(self) -> Version:
        """The version of the wheel. Raises InvalidWheelFilename."""
        return parse_wheel_filename(self.wheel)[1]

    @property
    def peak(self) -> int:
        """The demand (bytes) at the smallest number of jobs that was measured."""
        return self.demand[min(self.demand)]

    def to_table(self) -> dict[str, Any]:
        """Return the TOML table, whose key is the file name of the wheel."""
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
        """Return what ``to_table`` wrote for the build of ``wheel``; None if it is not usable."""
        if not isinstance(table, Mapping):
            return None
        try:
            demand = {int(jobs): int(size) for jobs, size in table["demand"].items()}
            files, seconds = int(table.get("files", 0)), float(table["seconds"])
            figures = (*demand, *demand.values(), files + 1, seconds + 1)
            if not demand or not all(1 <= one < math.inf for one in figures):
                return None  # nothing takes no memory, nor less than no time
            charged = table.get("charged-peak")
            lock = table.get("lock")
            return cls(
                key=str(table["key"]),
                wheel=wheel,
                backend=str(table["backend"]),
                flags=BuildFlags.from_table(table),
                lock=str(lock) if lock is not None else None,
                demand=demand,
                files=files,
                charged_peak=int(charged) if charged is not None else None,
                seconds=seconds,
                native=tuple(map(str, table.get("native", ()))),
                measured_on={str(k): str(v) for k, v in table["measured-on"].items()},
                source=str(table.get("source", "")),
                commit=str(table.get("commit-id", "")),
            )
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
            return None


def build_records(tool: Mapping[str, Any] | None) -> tuple[BuildRecord, ...]:
    """Return the builds in the ``tool`` table of a package, sorted by file names of wheels."""
    table = tool_value(tool, "build")
    if not isinstance(table, Mapping):
        return ()
    found = (BuildRecord.from_table(name, one) for name, one in sorted(table.items()))
    return tuple(record for record in found if record)


def build_lock_name(package: str) -> str:
    """Return the file name of the lock of the build requirements of ``package``."""
    return f"pylock.build-{package}.toml"


def project_name(document: Mapping[str, Any]) -> NormalizedName | None:
    """Return the name of the project of a ``pyproject.toml``."""
    name = _project_key(document, "name")
    return canonicalize_name(name) if name else None


def project_version(document: Mapping[str, Any]) -> str | None:
    """Return the version of the project of a ``pyproject.toml``; None if it is known only after the
    build.
    """
    return _project_key(document, "version")


def _project_key(document: Mapping[str, Any], key: str) -> str | None:
    """Return a value of the standard table, or of the table that poetry used before it."""
    for path in (("project",), ("tool", "poetry")):
        table: object = document
        for part in path:
            table = table.get(part) if isinstance(table, Mapping) else None
        if isinstance(table, Mapping) and isinstance(value := table.get(key), str):
            return value
    return None


def suitable_record(tool: Mapping[str, Any] | None, tags: Collection[Tag]) -> BuildRecord | None:
    """Return the build in the ``tool`` table of a package whose wheel suits a target with these
    tags; None if there is not one.
    """
    for record in build_records(tool):
        with suppress(InvalidWheelFilename):
            if not parse_wheel_filename(record.wheel)[3].isdisjoint(tags):
                return record
    return None


def foreseen(demand: int, *, alike: bool = True) -> int:
    """Return the bytes of memory that a build of this measured demand requires before it begins.

    ``alike`` says whether compiler, machine, Python and C library are those of the measurement.
    """
    return demand + int(demand * (SHARE if alike else FOREIGN_SHARE)) + MARGIN


def unhurried(demand: int, files: int) -> int:
    """Return the bytes of memory with which a build of this measured demand reads ``files`` (bytes,
    mostly of its compiler) only once.
    """
    return demand + files + MARGIN


def _is_setting(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(one, str) for one in value)
    )
