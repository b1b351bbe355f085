"""One advisory: a record in OSV's format.

Source: https://ossf.github.io/osv-schema/
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.advisories.affected import AffectedProject, affected_projects
from schemas.data_class import frozen

__all__ = ["MAX_RECORD_SIZE", "Advisory", "NotARecord", "Pin", "parse_advisory"]


MAX_RECORD_SIZE = 16 << 20
"""Bytes. The largest records about projects on PyPI list thousands of versions, in some 200 KB."""


Pin = tuple[NormalizedName, Version]
"""A release: a project and its version."""


class NotARecord(ValueError):
    """Says what of a text is not in OSV's format. Whoever reads the text adds its place."""


@frozen(kw_only=True)
class Advisory:
    """What is known of one vulnerability, or of a malicious release."""

    id: str
    aliases: tuple[str, ...]
    """Its ids in other databases."""
    modified: str
    """When the record was changed, in RFC 3339."""
    is_withdrawn: bool
    summary: str
    """Its first line; may be empty."""
    affected: tuple[AffectedProject, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return self.id, *self.aliases

    def includes(self, name: NormalizedName, version: Version) -> bool:
        """Return whether the release is affected."""
        return bool(self.affected_of(name, (version,)))

    def affected_of(self, name: NormalizedName, versions: Collection[Version]) -> set[Version]:
        """Return which of these releases of a project are affected."""
        return {found for one in self._about(name) for found in one.affected(versions)}

    def fixes(self, name: NormalizedName, version: Version) -> Iterator[Version]:
        """Yield the later versions that are named as fixed."""
        for one in self._about(name):
            yield from one.fixes(version)

    def last_affected(self, name: NormalizedName, version: Version) -> Iterator[Version]:
        """Yield the versions, from ``version`` on, that are named as the last affected ones."""
        for one in self._about(name):
            yield from one.last_affected(version)

    def _about(self, name: NormalizedName) -> Iterator[AffectedProject]:
        return (one for one in self.affected if one.name == name)


def parse_advisory(content: bytes, now: datetime | None = None) -> Advisory:
    """Return the advisory of a record in JSON; ``now`` decides whether it is withdrawn.

    Raises NotARecord.
    """
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        raise NotARecord("it is not JSON") from None
    if not isinstance(record, dict):
        raise NotARecord("it is not an object of JSON")
    if not isinstance(record.get("id"), str) or not record["id"].strip():
        raise NotARecord("it has no id")
    affected = record.get("affected") or []
    if not isinstance(affected, list):
        raise NotARecord("its affected is not a list")
    aliases = record.get("aliases")
    return Advisory(
        id=record["id"].strip(),
        aliases=tuple(
            one.strip()
            for one in (aliases if isinstance(aliases, list) else ())
            if isinstance(one, str) and one.strip()
        ),
        modified=_text(record.get("modified")),
        is_withdrawn=_is_past(_text(record.get("withdrawn")), now or datetime.now(UTC)),
        summary=_first_line(record),
        affected=tuple(affected_projects(affected)),
    )


def _first_line(record: dict[str, Any]) -> str:
    """Return the first line of the summary, or of the details (in Markdown) without one."""
    for key in ("summary", "details"):
        for line in _text(record.get(key)).splitlines():
            if text := line.strip().lstrip("#").strip():
                return text
    return ""


def _is_past(text: str, now: datetime) -> bool:
    """Return whether ``text`` is a moment (RFC 3339) up to ``now``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) <= now


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
