"""Artifact: what a build has made, held to what was planned.

A backend may go on without its compiler and end well, with a wheel of another kind: so the set of
native modules counts, not only that there is a wheel.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from executor.builds.errors import WheelDiffersFromPlan
from schemas.builds import BuildRecord
from schemas.target import Target

__all__ = ["BuiltWheel", "inspect_wheel"]


_NATIVE = (".so", ".pyd", ".dylib", ".dll")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltWheel:
    """A wheel that was built."""

    path: str
    name: str
    """Normalized."""
    version: str
    native: tuple[str, ...]
    """Its native modules, sorted."""

    @property
    def filename(self) -> str:
        return os.path.basename(self.path)

    def check_plan(self, record: BuildRecord) -> None:
        """Hold it to what was planned. Raises WheelDiffersFromPlan."""
        planned = parse_wheel_filename(record.wheel)[3]
        found = parse_wheel_filename(self.filename)[3]
        if planned != found:
            raise WheelDiffersFromPlan(
                self.name, f"what was built is {self.filename}, planned was {record.wheel}"
            )
        if missing := sorted(set(record.native) - set(self.native)):
            raise WheelDiffersFromPlan(
                self.name,
                f"{self.filename} was built without {', '.join(missing)}, which the planned wheel "
                "has",
            )
        if added := sorted(set(self.native) - set(record.native)):
            raise WheelDiffersFromPlan(
                self.name,
                f"{self.filename} was built with {', '.join(added)}, which the planned wheel has "
                "not",
            )


def inspect_wheel(path: str, package: str, version: str | None, target: Target) -> BuiltWheel:
    """Look at the wheel that was built for ``package``; ``version`` is None where only the build
    tells it. Raises WheelDiffersFromPlan.
    """
    filename = os.path.basename(path)
    try:
        name, found, _, tags = parse_wheel_filename(filename)
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except (InvalidWheelFilename, zipfile.BadZipFile, OSError) as error:
        raise WheelDiffersFromPlan(package, f"{filename} is no wheel: {error}") from None
    if name != package or version not in {None, str(found)}:
        raise WheelDiffersFromPlan(
            package, f"its source is that of {package} {version or ''}, the wheel is {filename}"
        )
    if tags.isdisjoint(target.tags):
        raise WheelDiffersFromPlan(package, f"{filename} does not suit {target}")
    native = sorted(member for member in members if member.endswith(_NATIVE) or ".so." in member)
    return BuiltWheel(path=path, name=name, version=str(found), native=tuple(native))
