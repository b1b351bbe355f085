"""The releases that a lock selects, as far as advisories can be about them."""

from __future__ import annotations

from packaging.pylock import Package, Pylock

from planner.advisories.advisory import Pin
from planner.advisories.audit import AuditRequest
from planner.exports.selection import every_package, select_packages, version_of
from planner.review.recorded import targets_of

__all__ = ["releases_of"]


def releases_of(lock: Pylock, request: AuditRequest) -> tuple[tuple[Pin, ...], tuple[str, ...]]:
    """Return the releases that ``request`` selects of ``lock``, and a sentence for each package
    that is none: a folder, which no database knows, and what has no version before it is built.

    Raises UsageError, UnknownName, Excluding, MarkerUnusable and InvalidEntry.
    """
    pins: dict[Pin, None] = {}
    others: dict[str, None] = {}
    for package in _selected(lock, request):
        version = version_of(package)
        if package.directory is not None:
            others[f"{package.name} is locked as a folder"] = None
        elif version is None:
            others[f"the lock does not record the version of {package.name}"] = None
        else:
            pins[package.name, version] = None
    return tuple(pins), tuple(others)


def _selected(lock: Pylock, request: AuditRequest) -> tuple[Package, ...]:
    named = request.python_versions or request.platforms
    targets = targets_of(lock, request.python_versions, request.platforms) if named else ()
    if request.select is None:
        return every_package(lock, targets)
    return tuple(one.package for one in select_packages(lock, request.select, targets))
