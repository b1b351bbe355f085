"""How to choose if the requirements leave a choice, and what is never chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from planner.model.project_set import ProjectSet, first_invalid_name
from schemas.data_class import frozen
from schemas.errors import UsageError

__all__ = [
    "ANY_MOMENT",
    "Ordering",
    "Policy",
    "Preferences",
    "Prereleases",
    "UploadLimits",
    "parse_limit",
    "parse_moment",
    "parse_moments",
]


class Prereleases(StrEnum):
    """Which pre-releases may be chosen (https://packaging.python.org/specifications/version-specifiers/)."""

    DISALLOW = "disallow"
    ALLOW = "allow"
    IF_NECESSARY = "if-necessary"
    """Those of a project for which the user's own requirements name a pre-release; those of other
    projects if no final release suits."""


Preferences = Mapping[NormalizedName, Sequence[Version]]
"""Versions to try before all others, by project, in the order given."""


_SPAN = re.compile(
    r"P?(?:(?P<weeks>\d+)\s*w(?:eeks?)?)?(?:(?P<days>\d+)\s*d(?:ays?)?)?"
    r"(?:T?(?P<hours>\d+)\s*h(?:ours?)?)?",
    re.IGNORECASE | re.ASCII,
)


class Ordering(StrEnum):
    """Which of the suitable versions is tried first."""

    HIGHEST = "highest"
    LOWEST = "lowest"
    LOWEST_DIRECT = "lowest-direct"
    """The lowest version of what the inputs require, the highest of what packages require."""


@frozen(kw_only=True)
class UploadLimits:
    """The moments from which on uploaded files are ignored."""

    default: datetime | None = None
    """None if no file is ignored."""
    of_projects: Mapping[NormalizedName, datetime | None] = field(default_factory=dict)
    """For single projects, in place of all others."""
    of_indexes: Mapping[str, datetime | None] = field(default_factory=dict)
    """For the files of single indexes, by URL."""

    def limit(self, project: NormalizedName, index: str) -> datetime | None:
        """Return the moment for files of ``project`` on the ``index`` with this URL, or None."""
        return self.of_projects.get(project, self.of_indexes.get(index, self.default))


@frozen(kw_only=True)
class Policy:
    """The user's decisions about which versions and files may be chosen."""

    prereleases: Prereleases = Prereleases.IF_NECESSARY
    ordering: Ordering = Ordering.HIGHEST
    uploads: UploadLimits = field(default_factory=UploadLimits)
    """Which files were uploaded too late."""
    no_binary: ProjectSet = field(default_factory=ProjectSet)
    """Projects whose wheels are ignored, so that they are built."""
    only_binary: ProjectSet = field(default_factory=ProjectSet)
    """Projects that are never built."""
    hosts: frozenset[str] = frozenset()
    """The hosts that files may come from; empty if any host may."""
    require_hashes: bool = False
    """True if the inputs have to give a hash for every package."""
    align: bool = True
    """True if environments share versions whenever they can; else each gets the newest versions
    that it could have alone."""
    preferences: Sequence[Preferences] = field(default=())
    """For each environment; empty if nothing is preferred."""


ANY_MOMENT = "false"
"""The word for no moment: files count whenever they were uploaded."""


def parse_moments(words: Iterable[str], now: datetime) -> dict[NormalizedName, datetime | None]:
    """Return the moments of projects, which ``words`` name as ``NAME=MOMENT``; None for
    ``NAME=false``. The last one of a project counts. Raise UsageError for another word.
    """
    found: dict[NormalizedName, datetime | None] = {}
    for word in words:
        project, _, moment = word.partition("=")
        if not moment.strip() or first_invalid_name([project.strip()]) is not None:
            raise UsageError(
                f"{word!r} is not a project and a moment",
                hint="write it as NAME=2026-03-01, NAME='2 days', or NAME=false for no limit",
            )
        found[canonicalize_name(project.strip())] = parse_limit(moment, now)
    return found


def parse_limit(text: str, now: datetime) -> datetime | None:
    """Return the moment that ``text`` names, as ``parse_moment`` does; None for ``false``."""
    return None if text.strip().lower() == ANY_MOMENT else parse_moment(text, now)


def parse_moment(text: str, now: datetime) -> datetime:
    """Return the moment that ``text`` names: ``2026-03-01`` (its beginning, in UTC),
    ``2026-03-01T12:00:00Z``, or a span before ``now``: ``7 days``, ``2 weeks ago``, ``P7D``,
    ``12 hours``.

    Raise UsageError if it names none.
    """
    span = _SPAN.fullmatch(text.strip().removesuffix(" ago"))
    try:
        if span and any(span.groupdict().values()):
            counts = {unit: int(count or 0) for unit, count in span.groupdict().items()}
            return now - timedelta(**counts)
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        # A span may reach beyond the first year, and a moment with an offset too.
        raise UsageError(
            f"{text!r} is not a moment",
            hint="write it as 2026-03-01, 2026-03-01T12:00:00Z or '7 days'",
        ) from None
