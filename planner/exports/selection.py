"""The packages of a lock that are exported: those that a choice of extras, groups and targets
needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from packaging.markers import Marker
from packaging.pylock import Package, Pylock
from packaging.utils import NormalizedName, parse_sdist_filename
from packaging.version import Version

from executor import SelectOptions
from planner.exports.entry_check import check_entry
from planner.lock.decided_marker import decided
from schemas.data_class import frozen
from schemas.markers import for_some_choice, holds
from schemas.target import Target
from schemas.text import titled
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["ExportedPackage", "every_package", "select_packages", "version_of", "with_scopes"]


@frozen(kw_only=True)
class ExportedPackage:
    """One package of a lock, with the condition that is left once extras and groups are chosen."""

    package: Package
    marker: Marker | None
    """The condition on the machine; None if every machine needs it."""
    is_development: bool
    """Whether only dependency groups require it that the lock does not select by default."""

    @property
    def name(self) -> NormalizedName:
        return self.package.name

    @property
    def version(self) -> Version | None:
        """Its version, as ``version_of`` finds it."""
        return version_of(self.package)

    def __str__(self) -> str:
        return titled(self.name, self.version)


def select_packages(
    lock: Pylock, select: SelectOptions, targets: Sequence[Target] = ()
) -> tuple[ExportedPackage, ...]:
    """Return the packages of ``lock`` that ``select`` chooses, in its order; if there are
    ``targets``, those that any of them needs.

    Raises UnknownName, Excluding, MarkerUnusable and InvalidEntry.
    """
    chosen = select.variables(lock)
    default = replace(select, groups=frozenset(), all_groups=False).variables(lock)
    found = []
    for package in lock.packages:
        marker = with_scopes(package, chosen)
        if marker is False or not _is_needed(marker, targets, package.name):
            continue
        check_entry(package)
        in_default = with_scopes(package, default)
        found.append(
            ExportedPackage(
                package=package,
                marker=marker if isinstance(marker, Marker) else None,
                is_development=in_default is False,
            )
        )
    return tuple(found)


def every_package(lock: Pylock, targets: Sequence[Target] = ()) -> tuple[Package, ...]:
    """Return the packages of ``lock`` that some choice of extras and groups needs, in its order; if
    there are ``targets``, on any of them.

    Raises MarkerUnusable.
    """
    return tuple(
        package
        for package in lock.packages
        if _is_needed(for_some_choice(package.marker) or True, targets, package.name)
    )


def version_of(package: Package) -> Version | None:
    """Return the version of ``package``, by the names of its files if the lock does not state it.
    None for a repository or a folder of which it is not known before the build.
    """
    if package.version is not None:
        return package.version
    for wheel in package.wheels or ():
        return parse_wheel_filename(wheel.filename)[1]
    if package.sdist is not None:
        return parse_sdist_filename(package.sdist.filename)[1]
    return None


def with_scopes(package: Package, chosen: Mapping[str, AbstractSet[str]]) -> Marker | bool:
    """Return what is left of the marker of ``package`` for an installer that knows neither extras
    nor groups: True if it holds with those that are ``chosen``, False if it cannot.

    Raises MarkerUnusable.
    """

    def decide(comparison: Marker, variable: str) -> bool | None:
        if variable not in chosen:
            return None
        return holds(comparison, chosen, subject=package.name)

    return True if package.marker is None else decided(package.marker, decide)


def _is_needed(marker: Marker | bool, targets: Sequence[Target], name: str) -> bool:
    if not isinstance(marker, Marker) or not targets:
        return True
    return any(holds(marker, target.environment, subject=name) for target in targets)
