"""Built: a wheel that stands in for a source, now or in an earlier lock."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.pylock import Pylock

from planner.pages import ProjectFile
from schemas.builds import BuildRecord, build_records

if TYPE_CHECKING:
    from planner.builds.origin import Origin  # loads the executor

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
    origin: Origin | None
    """What the source is, where it is no source distribution."""
    is_kept: bool
    """Whether the lock may list it; else only what it took is of interest."""


@dataclass(frozen=True, slots=True)
class KnownBuild:
    """What an earlier lock tells of a build."""

    record: BuildRecord
    path: str
    sha256: str


def known_builds(lock: Pylock, folder: str) -> tuple[KnownBuild, ...]:
    """The builds of ``lock``, which is in ``folder``, whose wheels it lists by their path."""
    found = []
    for package in lock.packages:
        wheels = {wheel.filename: wheel for wheel in package.wheels or ()}
        for record in build_records(package.tool):
            wheel = wheels.get(record.wheel)
            if wheel and wheel.path and "sha256" in wheel.hashes:
                path = os.path.join(folder, wheel.path)
                found.append(KnownBuild(record, path, wheel.hashes["sha256"]))
    return tuple(found)
