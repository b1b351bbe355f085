"""The versions of a project that an advisory is about, compared by PEP 440.

Source: https://ossf.github.io/osv-schema/#evaluation. What of a record cannot be read never hides a
release: it counts as affected then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from schemas.data_class import frozen

__all__ = ["AffectedProject", "affected_projects", "public_version"]


_ECOSYSTEM = "PyPI"


_GIT = "GIT"
"""The type of a range of commits, which says nothing of versions."""


_BEFORE_ALL = Version("0.dev0")
"""The first version there can be: ``0`` of an event ``introduced`` means that."""


_KINDS = ("introduced", "fixed", "last_affected", "limit")


_Event = tuple[Version, str]
"""A version, and which of ``_KINDS`` happens there."""


@frozen
class _AffectedRange:
    """One line of versions; it is a part of an AffectedProject."""

    events: tuple[_Event, ...]
    """All but ``limit``, in the order of their versions."""
    limits: tuple[Version, ...]

    def includes(self, version: Version) -> bool:
        """Return whether ``version`` is affected. Builds of a release with a local label are that
        release, unless the range names such labels itself.
        """
        if not any(one.local for one, _ in self.events):
            version = public_version(version)
        if self.limits and not any(version < limit for limit in self.limits):
            return False
        is_affected = False
        for at, kind in self.events:
            if kind == "introduced" and version >= at:
                is_affected = True
            elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
                is_affected = False
        return is_affected


@frozen
class AffectedProject:
    """A project that an advisory is about; the advisory owns it."""

    name: NormalizedName
    versions: frozenset[str]
    """Those that are listed one by one, as the record spells them."""
    ranges: tuple[_AffectedRange, ...]

    def affected(self, versions: Iterable[Version]) -> set[Version]:
        """Return which of ``versions`` are affected."""
        listed = set(filter(None, map(_version, self.versions)))
        return {
            version
            for version in versions
            if version in listed
            or public_version(version) in listed
            or any(one.includes(version) for one in self.ranges)
        }

    def fixes(self, version: Version) -> Iterator[Version]:
        """Yield the versions after ``version`` that a range names as fixed."""
        yield from (one for one in self._at("fixed") if one > version)

    def last_affected(self, version: Version) -> Iterator[Version]:
        """Yield the versions from ``version`` on after which a range ends without a fix."""
        public = public_version(version)
        yield from (one for one in self._at("last_affected") if one >= public)

    def _at(self, kind: str) -> Iterator[Version]:
        events = chain.from_iterable(one.events for one in self.ranges)
        return (version for version, one in events if one == kind)


def public_version(version: Version) -> Version:
    """Return ``version`` without its local label, which names a build of the same release."""
    return Version(version.public) if version.local else version


def affected_projects(entries: Iterable[object]) -> Iterator[AffectedProject]:
    """Yield what the entries of ``affected`` of a record say of projects on PyPI."""
    for entry in map(_table, entries):
        package = _table(entry.get("package"))
        name, ecosystem = package.get("name"), package.get("ecosystem")
        if not isinstance(name, str) or not isinstance(ecosystem, str):
            continue
        if ecosystem.partition(":")[0] != _ECOSYSTEM:
            continue
        versions = (one for one in _list(entry.get("versions")) if isinstance(one, str))
        yield AffectedProject(
            canonicalize_name(name.strip()),
            frozenset(versions),
            tuple(_ranges(map(_table, _list(entry.get("ranges"))))),
        )


def _ranges(tables: Iterable[Mapping[str, Any]]) -> Iterator[_AffectedRange]:
    for table in tables:
        events = [_table(one) for one in _list(table.get("events"))]
        if table.get("type") == _GIT or not events:
            continue
        read = list(chain.from_iterable(map(_events, events)))
        if not any(kind == "introduced" for _, kind in read):
            read.insert(0, (_BEFORE_ALL, "introduced"))
        # Of one version, the order of the record counts: sorting keeps it.
        read.sort(key=lambda one: one[0])
        limits = tuple(version for version, kind in read if kind == "limit")
        has_end = all(_version(one["limit"]) is not None for one in events if "limit" in one)
        yield _AffectedRange(
            tuple(one for one in read if one[1] != "limit"), limits if has_end else ()
        )


def _events(table: Mapping[str, Any]) -> Iterator[_Event]:
    for kind in _KINDS:
        version = _version(table.get(kind))
        if kind == "introduced" and kind in table and (version is None or table[kind] == "0"):
            version = _BEFORE_ALL
        if version is not None:
            yield version, kind


def _version(text: object) -> Version | None:
    try:
        return Version(text) if isinstance(text, str) else None
    except ValueError:  # it is none (InvalidVersion), or a number in it has thousands of digits
        return None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
