"""Built: a wheel that stands in for a source, now or in an earlier lock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.pylock import PackageSdist, Pylock
from packaging.utils import NormalizedName, parse_wheel_filename

from planner.index.pages import ProjectFile, ProjectPage
from schemas.builds import BuildRecord, build_records
from schemas.target import Target

if TYPE_CHECKING:
    from planner.model.direct_reference import DirectReference

__all__ = ["Built", "KnownBuild", "known_builds"]


@dataclass(frozen=True, slots=True)
class Built:
    """A wheel that stands in for a source."""

    source: ProjectFile
    sha256: str
    """Of the source."""
    size: int
    """Of the source, in bytes."""
    wheel: ProjectFile
    record: BuildRecord
    url: str | None
    """Where it will be served, if that is said."""
    origin: DirectReference | None
    """What the source is, where it is no source distribution."""
    is_kept: bool
    """Whether the lock may list it; else only what it took is of interest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownBuild:
    """What an earlier lock tells of a build."""

    folder: str
    """That of the lock."""
    name: NormalizedName
    record: BuildRecord
    path: str
    """Where the wheel is, if it is on this machine."""
    url: str | None
    """Where it is served, if it is."""
    sha256: str
    sdist: PackageSdist | None
    """What it was built of, where that is a source distribution or an archive."""

    def suits(self, target: Target) -> bool:
        """Whether the wheel is for ``target``."""
        return not parse_wheel_filename(self.record.wheel)[3].isdisjoint(target.tags)

    def is_of(self, page: ProjectPage) -> bool:
        """Whether the index still has what it was built of."""
        told = self.sdist.hashes.get("sha256") if self.sdist else None
        hashes = (file.hashes for files in page.files.values() for file in files)
        return page.name == self.name and any(told == one.get("sha256") for one in hashes if told)

    def to_built(self, origin: DirectReference | None = None) -> Built | None:
        """The same for the next lock, of ``origin`` where that is no source distribution; None
        where the wheel is nowhere to be had.
        """
        is_here = os.path.exists(self.path)
        if not is_here and self.url is None:
            return None
        entry = {"url": self.url or f"file://{self.path}", "hashes": {"sha256": self.sha256}}
        path = self.path if is_here else None
        return Built(
            source=self._source(),
            sha256=self.sdist.hashes.get("sha256", "") if self.sdist else "",
            size=(self.sdist.size or 0) if self.sdist else 0,
            wheel=ProjectFile(self.record.wheel, "", entry, path=path, is_built=True),
            record=self.record,
            url=self.url,
            origin=origin,
            is_kept=True,
        )

    def _source(self) -> ProjectFile:
        if self.sdist is None:
            return ProjectFile(self.name, "", {"url": ""})
        time = self.sdist.upload_time
        told = {
            "url": self.sdist.url or "",
            "upload-time": time.isoformat() if time else None,
        }
        path = os.path.join(self.folder, self.sdist.path) if self.sdist.path else None
        return ProjectFile(self.sdist.filename, "", told, path=path)


def known_builds(lock: Pylock, folder: str, wheelhouse: str = "") -> tuple[KnownBuild, ...]:
    """The builds of ``lock``, which is in ``folder``; wheels that it lists by their URL are also
    in the folder ``wheelhouse``.
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
