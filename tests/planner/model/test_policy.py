"""What users say about choosing is read, or refused with what they could say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from packaging.utils import canonicalize_name

from planner.model.policy import UploadLimits, parse_moment, parse_moments
from planner.model.project_set import parse_names
from schemas.errors import UsageError

NOW = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T12:30:00Z", datetime(2026, 3, 1, 12, 30, tzinfo=UTC)),
        ("2026-03-01T12:30:00+02:00", datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
        ("7 days", NOW - timedelta(days=7)),
        ("1 day", NOW - timedelta(days=1)),
        ("P7D", NOW - timedelta(days=7)),
        ("2 weeks", NOW - timedelta(weeks=2)),
        ("1 day ago", NOW - timedelta(days=1)),
        ("12 hours", NOW - timedelta(hours=12)),
        ("P1DT6H", NOW - timedelta(days=1, hours=6)),
        ("3d", NOW - timedelta(days=3)),
    ],
)
def test_a_moment_is_a_date_or_a_span(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        *("", " ago", "2026-03-01 ago", "yesterday", "7", "P", "2026-13-01", "7 months"),
        *("9999999999 weeks", "999999 days", "0001-01-01T00:00:00+14:00", f"{'9' * 5000} days"),
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a moment"):
        parse_moment(text, NOW)


@pytest.mark.parametrize(
    ("words", "inside", "outside"),
    [
        ([], [], ["a"]),
        (["A_b, c", "d"], ["a-b", "c", "d"], ["e"]),
        ([":all:"], ["a"], []),
        (["a", ":none:", "b"], ["b"], ["a"]),
        ([":all:", ":none:"], [], ["a"]),
    ],
)
def test_names_are_read_as_pip_reads_them(
    words: list[str], inside: list[str], outside: list[str]
) -> None:
    names = parse_names(words)
    assert all(canonicalize_name(name) in names for name in inside)
    assert not any(canonicalize_name(name) in names for name in outside)


def test_the_last_moment_of_a_project_counts() -> None:
    words = ["A_b=2 days", "a.b=2026-01-01", "c=FALSE"]
    assert parse_moments(words, NOW) == {"a-b": datetime(2026, 1, 1, tzinfo=UTC), "c": None}


@pytest.mark.parametrize("word", ["demo", "demo=", "=7 days", "de mo=7 days", ""])
def test_what_names_no_project_and_moment_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=f"{word!r} is not a project and a moment") as raised:
        parse_moments([word], NOW)
    assert "NAME=false for no limit" in str(raised.value.hint)


def test_the_moment_of_a_project_is_held_to_be_one() -> None:
    with pytest.raises(UsageError, match="'=2' is not a moment"):
        parse_moments(["demo==2"], NOW)


@pytest.mark.parametrize(
    ("project", "index", "moment"),
    [
        ("a", "https://ours.example", None),
        ("a", "https://other.example", None),
        ("b", "https://ours.example", datetime(2026, 2, 1, tzinfo=UTC)),
        ("b", "https://other.example", NOW),
    ],
)
def test_the_limit_of_a_project_counts_before_that_of_its_index_and_that_before_the_general_one(
    project: str, index: str, moment: datetime | None
) -> None:
    limits = UploadLimits(
        default=NOW,
        of_projects={canonicalize_name("a"): None},
        of_indexes={"https://ours.example": datetime(2026, 2, 1, tzinfo=UTC)},
    )
    assert limits.limit(canonicalize_name(project), index) == moment
