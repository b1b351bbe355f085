"""Wheels that stand in for a source, built by this plan or recorded by an earlier lock."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from packaging.pylock import PackageSdist, Pylock
from packaging.utils import NormalizedName

from planner.index.pages import ProjectFile, ProjectPage
from schemas.builds import BuildRecord, build_records
from schemas.data_class import frozen
from schemas.target import Target
from schemas.wheel_filename import parse_wheel_filename

if TYPE_CHECKING:
    from planner.model.direct_reference import DirectReference

__all__ = ["Built", "KnownBuild", "LockedSource", "Stock", "known_builds"]


@frozen
class LockedSource:
    """A source that wheels are built from, as the lock lists it."""

    file: ProjectFile
    sha256: str
    size: int
    """Bytes."""
    reference: DirectReference | None
    """Its address; None if an index has it as a source distribution."""


@frozen
class Built:
    """A wheel that stands in for a source, owned by the plan that lists it."""

    source: LockedSource
    wheel: ProjectFile
    record: BuildRecord
    url: str | None
    """The URL at which it will be served; None if the user gives none."""
    is_kept: bool
    """True if the lock lists the wheel; else it records only what the build took."""


@frozen
class Stock:
    """What a builder adds to the files of the indexes; filled while the plan goes on."""

    built: Mapping[str, Built] = field(default_factory=dict)
    """Built wheels, by file name."""
    sources: Mapping[str, LockedSource] = field(default_factory=dict)
    """Sources that wheels have yet to be built from, by address."""


@frozen(kw_only=True)
class KnownBuild:
    """A build that an earlier lock records."""

    folder: str
    """The folder of the lock."""
    name: NormalizedName
    record: BuildRecord
    path: str
    """The path at which the wheel is, if it is on this machine."""
    url: str | None
    """The URL of the wheel; None if the lock has none."""
    sha256: str
    sdist: PackageSdist | None
    """The source distribution or archive that it was built from; None if it was a tree."""

    def suits(self, target: Target) -> bool:
        """Return if the wheel is for ``target``."""
        return not parse_wheel_filename(self.record.wheel)[3].isdisjoint(target.tags)

    def is_of(self, page: ProjectPage) -> bool:
        """Return if ``page`` still has the source that it was built from."""
        if page.name != self.name or self.sdist is None or "sha256" not in self.sdist.hashes:
            return False
        return any(self._is_source(file) for files in page.files.values() for file in files)

    def _is_source(self, file: ProjectFile) -> bool:
        """Return if ``file`` is the source. Folders, and some indexes, state no hashes."""
        assert self.sdist is not None
        expected = self.sdist.hashes["sha256"]
        if (stated := file.hashes.get("sha256")) is not None:
            return stated == expected
        if file.filename != self.sdist.filename:
            return False
        if file.path is None:
            # Whoever has built it has compared the hash of the lock.
            return file.url == self.sdist.url
        from executor import digest_file  # noqa: PLC0415  # few plans have builds of others

        try:
            return digest_file(file.path).hex() == expected
        except OSError:
            return False

    def to_built(self, reference: DirectReference | None = None) -> Built | None:
        """Return the build for the next lock, with the ``reference`` of its source if it has one;
        None if the wheel is neither on this machine nor served.
        """
        is_here = os.path.exists(self.path)
        if not is_here and self.url is None:
            return None
        entry = {"url": self.url or f"file://{self.path}", "hashes": {"sha256": self.sha256}}
        path = self.path if is_here else None
        return Built(
            source=LockedSource(
                file=self._source(),
                sha256=self.sdist.hashes.get("sha256", "") if self.sdist else "",
                size=(self.sdist.size or 0) if self.sdist else 0,
                reference=reference,
            ),
            wheel=ProjectFile(self.record.wheel, "", entry, path=path, is_built=True),
            record=self.record,
            url=self.url,
            is_kept=True,
        )

    def _source(self) -> ProjectFile:
        if self.sdist is None:
            return ProjectFile(self.name, "", {"url": ""})
        time = self.sdist.upload_time
        entry = {
            "url": self.sdist.url or "",
            "upload-time": time.isoformat() if time else None,
        }
        path = os.path.join(self.folder, self.sdist.path) if self.sdist.path else None
        return ProjectFile(self.sdist.filename, "", entry, path=path)


def known_builds(lock: Pylock, folder: str, wheelhouse: str = "") -> tuple[KnownBuild, ...]:
    """Return the builds that ``lock`` in ``folder`` records; the wheels that it lists by their URL
    are also in the folder ``wheelhouse``.
    """
    found = []
    for package in lock.packages:
        wheels = {wheel.filename: wheel for wheel in package.wheels or ()}
        for record in build_records(package.tool):
            wheel = wheels.get(record.wheel)
            if wheel is None or "sha256" not in wheel.hashes:
                continue
            path = wheel.path or os.path.join(wheelhouse, record.wheel)
            found.append(
                KnownBuild(
                    folder=folder,
                    name=package.name,
                    record=record,
                    path=os.path.join(folder, path),
                    url=wheel.url,
                    sha256=wheel.hashes["sha256"],
                    sdist=package.sdist,
                )
            )
    return tuple(found)
