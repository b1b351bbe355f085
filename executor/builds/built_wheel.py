"""A wheel that was built, compared with the planned one.

A backend may fail to run its compiler, continue, and return a wheel of another kind. So the set of
native modules counts, not only the existence of a wheel.
"""

from __future__ import annotations

import os
import struct
import zipfile

from packaging.utils import InvalidWheelFilename

from executor.builds.errors import WheelDiffersFromPlan
from schemas.builds import BuildRecord
from schemas.data_class import frozen
from schemas.target import Target
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["BuiltWheel", "inspect_wheel"]


_NO_WHEEL = (
    InvalidWheelFilename, zipfile.BadZipFile, OSError,
    # Names that are not UTF-8, versions of the format that are not known, and fields cut short.
    ValueError, NotImplementedError, struct.error, OverflowError,
)  # fmt: skip
"""What reading the list of a damaged archive raises, or of one that is made to confuse."""


_NATIVE = (".so", ".pyd", ".dylib", ".dll")


@frozen(kw_only=True)
class BuiltWheel:
    """A wheel in the workspace that it was built in."""

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
        """Raise WheelDiffersFromPlan if its tags or native modules are not the planned ones."""
        planned = parse_wheel_filename(record.wheel)[3]
        found = parse_wheel_filename(self.filename)[3]
        if planned != found:
            raise WheelDiffersFromPlan(
                self.name, f"the build made {self.filename}, but {record.wheel} was planned"
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
                f"{self.filename} was built with {', '.join(added)}, which the planned wheel does "
                "not have",
            )


def inspect_wheel(path: str, package: str, version: str | None, target: Target) -> BuiltWheel:
    """Return the wheel at ``path``, which was built for ``package``.

    ``version`` is the expected one, or None if it is known only after the build.
    Raises WheelDiffersFromPlan.
    """
    filename = os.path.basename(path)
    try:
        name, found, _, tags = parse_wheel_filename(filename)
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except _NO_WHEEL as error:
        raise WheelDiffersFromPlan(package, f"{filename} is not a wheel: {error}") from None
    if name != package or version not in {None, str(found)}:
        raise WheelDiffersFromPlan(
            package,
            f"the source is of {f'{package} {version}' if version else package}, but the wheel is "
            f"{filename}",
        )
    if tags.isdisjoint(target.tags):
        raise WheelDiffersFromPlan(package, f"{filename} does not suit {target}")
    native = sorted(member for member in members if member.endswith(_NATIVE) or ".so." in member)
    return BuiltWheel(path=path, name=name, version=str(found), native=tuple(native))
