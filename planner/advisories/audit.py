"""The releases of a lock that are known to be vulnerable, and the versions that fix them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.advisories.advisory import Advisory, Pin
from planner.advisories.ignores import Ignore
from schemas.data_class import frozen
from schemas.errors import UsageError

if TYPE_CHECKING:
    from executor import SelectOptions

__all__ = ["Audit", "AuditRequest", "Finding", "audit_releases"]


_PREFIXES = ("CVE", "GHSA", "PYSEC")


@frozen(kw_only=True)
class AuditRequest:
    """What of a lock to look up, where to look for advisories, and which to ignore."""

    select: SelectOptions | None = None
    """The extras and groups; None for every package of the lock."""
    python_versions: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    """The targets, as ``--python-version`` and ``--platform`` name them; none for all."""

    service: str | None = None
    """The address of a service with OSV's API; None for that of OSV."""
    database: str | None = None
    """A zip archive or a folder in its place; then nothing is sent."""
    offline: bool = False
    """Whether to make no network requests."""
    keyring: bool = False
    """Whether to run the keyring program for a login of the service."""
    ignores: tuple[Ignore, ...] = ()

    def check(self) -> None:
        """Raise UsageError if there is no place to look, or there are two."""
        if self.service and self.database:
            raise UsageError(
                "--service and --database exclude each other", hint="leave one of them out"
            )
        if self.offline and not self.database:
            raise UsageError(
                "--offline leaves no place to look for advisories",
                hint="name a copy of the database with --database, such as OSV's all.zip of PyPI",
            )


@frozen(kw_only=True)
class Finding:
    """One vulnerability of a release, whatever the number of advisories on it."""

    name: NormalizedName
    version: Version
    ids: tuple[str, ...]
    """Of all its advisories, with their aliases: that of CVE first."""
    fixed: tuple[Version, ...]
    """The later versions that are named as fixed, and that none of its advisories is about."""
    last_affected: Version | None
    """Without a fixed version, the last one that is known to be affected, if one is named."""
    summary: str
    """One line; may be empty."""

    @property
    def has_end(self) -> bool:
        """Return whether later versions are known that it is not about, or may be."""
        return bool(self.fixed) or self.last_affected is not None


@frozen(kw_only=True)
class Audit:
    """What is known of the releases of a lock; the caller owns it."""

    findings: tuple[Finding, ...]
    """Sorted by name, version and ids."""
    ignored: tuple[Finding, ...]
    count: int
    """How many releases were looked up."""
    place: str
    """The address of the service, or the path of the database."""
    records: int | None = None
    """How many advisories the database has; None for a service."""
    newest: str = ""
    """When the record of the database that was changed last was changed (RFC 3339)."""
    remarks: tuple[str, ...] = ()
    """What else should be known, a sentence each."""
    unaudited: tuple[str, ...] = ()
    """The packages that were not looked up, a sentence each."""
    upgrade: tuple[str, ...] = ()
    """The commands that choose later versions, as far as the inputs allow them; none if all known
    versions are affected."""


def audit_releases(pins: Iterable[Pin], request: AuditRequest, today: date | None = None) -> Audit:
    """Return what the service or the database of ``request`` knows of the releases ``pins``; of
    ignored advisories, as they are ignored ``today`` (None: now, in UTC).

    Raises UsageError for an address that is none, ServiceUnreachable, ServiceAnswer, ProxyRefused,
    UnreadableInput and InvalidDatabase.
    """
    wanted = sorted(set(pins))
    answer = _in_database(wanted, request.database) if request.database else _ask(wanted, request)
    today = today or datetime.now(UTC).date()
    findings: list[Finding] = []
    ignored: list[Finding] = []
    for pin in wanted:
        for one in _joined(pin, answer.found.get(pin, ())):
            named = (ignore for ignore in request.ignores if ignore.names(one.ids))
            holds = any(ignore.holds(today, has_fix=bool(one.fixed)) for ignore in named)
            (ignored if holds else findings).append(one)
    remarks = (*answer.remarks, *_remarks_on(request.ignores, [*findings, *ignored], today))
    return Audit(
        findings=tuple(findings),
        ignored=tuple(ignored),
        count=len(wanted),
        place=answer.place,
        records=answer.records,
        newest=answer.newest,
        remarks=remarks,
    )


@frozen(kw_only=True)
class _Answer:
    """What a service or a database has about some releases."""

    found: Mapping[Pin, Sequence[Advisory]]
    place: str
    records: int | None = None
    newest: str = ""
    remarks: tuple[str, ...] = ()


def _in_database(pins: Sequence[Pin], path: str) -> _Answer:
    # An audit by a service needs no archives.
    from planner.advisories.database import read_database  # noqa: PLC0415

    content = read_database(path, {name for name, _ in pins})
    advisories = [content.found[one] for one in sorted(content.found)]
    found = {pin: [one for one in advisories if one.includes(*pin)] for pin in pins}
    return _Answer(found=found, place=path, records=content.count, newest=content.newest)


def _ask(pins: Sequence[Pin], request: AuditRequest) -> _Answer:
    # Loads a client for HTTP, which an audit of a database does not need.
    from planner.advisories.service import PUBLIC_SERVICE, AdvisoryService  # noqa: PLC0415

    address = request.service or PUBLIC_SERVICE
    with AdvisoryService(address, keyring=request.keyring) as service:
        content = service.ask(pins)
    remarks = (f"{service.name} has no record of {one}, which it names" for one in content.missing)
    return _Answer(found=content.found, place=service.name, remarks=tuple(remarks))


_MOST_FIXES = 100
"""Versions that are named as fixed and looked at, those that come first; real records name one for
each branch of releases."""


def _joined(pin: Pin, advisories: Iterable[Advisory]) -> list[Finding]:
    """Return what is left of ``advisories`` that affect the release: those that are aliases are one
    vulnerability, and withdrawn ones are none.
    """
    groups: list[list[Advisory]] = []
    for one in advisories:
        if one.is_withdrawn:
            continue
        # Aliases are symmetric and transitive (https://ossf.github.io/osv-schema/#aliases-field).
        same = [group for group in groups if not _ids(group).isdisjoint(one.ids)]
        groups = [group for group in groups if group not in same]
        groups.append([*(member for group in same for member in group), one])
    return sorted((_finding(pin, group) for group in groups), key=lambda one: one.ids)


def _finding(pin: Pin, group: Sequence[Advisory]) -> Finding:
    named = {version for one in group for version in one.fixes(*pin)}
    fixed = set(sorted(named)[:_MOST_FIXES])
    for one in group:
        fixed -= one.affected_of(pin[0], fixed)
    ends = [max(one.last_affected(*pin), default=None) for one in group if one.affected]
    known = [one for one in ends if one is not None]
    has_end = known and len(known) == len(ends) and not fixed
    return Finding(
        name=pin[0],
        version=pin[1],
        ids=tuple(sorted(_ids(group), key=_rank)),
        fixed=tuple(sorted(fixed)),
        last_affected=max(known) if has_end else None,
        summary=next((one.summary for one in group if one.summary), ""),
    )


def _ids(group: Iterable[Advisory]) -> set[str]:
    return {name for one in group for name in one.ids}


def _rank(name: str) -> tuple[int, str]:
    """Return the place of an id: those that people look for come first."""
    prefix = name.partition("-")[0]
    return _PREFIXES.index(prefix) if prefix in _PREFIXES else len(_PREFIXES), name


def _remarks_on(
    ignores: Iterable[Ignore], findings: Sequence[Finding], today: date
) -> Iterator[str]:
    """Yield a sentence for each of ``ignores`` that has no effect."""
    for ignore in ignores:
        if not any(ignore.names(one.ids) for one in findings):
            yield f"--ignore {ignore.id} names nothing that was found"
        elif ignore.has_ended(today):
            yield f"--ignore {ignore.id} has ended on {ignore.last_day}"
