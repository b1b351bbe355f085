"""Policy: how to choose where requirements leave a choice, and what is never chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from packaging.utils import NormalizedName
from packaging.version import Version

from planner.model.project_set import ProjectSet
from schemas.errors import UsageError

__all__ = ["Ordering", "Policy", "Preferences", "Prereleases", "parse_moment"]


class Prereleases(StrEnum):
    """Which pre-releases may be chosen (https://packaging.python.org/specifications/version-specifiers/)."""

    DISALLOW = "disallow"
    ALLOW = "allow"
    IF_NECESSARY = "if-necessary"
    """Those of a project for which the user's own requirements name one; of others, where no
    final release will do."""


Preferences = Mapping[NormalizedName, Sequence[Version]]
"""Versions to try before all others, by project, in this order."""


_SPAN = re.compile(
    r"P?(?:(?P<weeks>\d+)\s*w(?:eeks?)?)?(?:(?P<days>\d+)\s*d(?:ays?)?)?"
    r"(?:T?(?P<hours>\d+)\s*h(?:ours?)?)?",
    re.IGNORECASE | re.ASCII,
)


class Ordering(StrEnum):
    """Which of the versions that suit is tried first."""

    HIGHEST = "highest"
    LOWEST = "lowest"
    LOWEST_DIRECT = "lowest-direct"
    """The lowest of what the inputs ask for, the highest of what packages ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a user decides about choosing."""

    prereleases: Prereleases = Prereleases.IF_NECESSARY
    ordering: Ordering = Ordering.HIGHEST
    uploaded_before: datetime | None = None
    """Files that came later do not count; None where all do."""
    no_binary: ProjectSet = field(default_factory=ProjectSet)
    """Projects that are to be built."""
    only_binary: ProjectSet = field(default_factory=ProjectSet)
    """Projects that are not to be built."""
    hosts: frozenset[str] = frozenset()
    """The hosts that files may come from; empty where all may."""
    require_hashes: bool = False
    """Whether the inputs have to give hashes for all that is needed."""
    align: bool = True
    """Whether environments share versions wherever they can, rather than each having the newest
    that it could have alone."""
    preferences: Sequence[Preferences] = field(default=())
    """For each environment; empty where nothing is preferred."""


def parse_moment(text: str, now: datetime) -> datetime:
    """A moment: ``2026-03-01`` (its beginning, in UTC), ``2026-03-01T12:00:00Z``, or how long
    before ``now``: ``7 days``, ``2 weeks``, ``P7D``, ``12 hours``.

    Raises UsageError.
    """
    span = _SPAN.fullmatch(text.strip())
    if span and any(span.groupdict().values()):
        return now - timedelta(**{unit: int(told or 0) for unit, told in span.groupdict().items()})
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{text!r} is no moment",
            hint="write it as 2026-03-01, 2026-03-01T12:00:00Z or '7 days'",
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
