"""A record in OSV's format becomes an advisory, or says what of it is not in that format."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.advisories import record, span
from planner.advisories.advisory import Advisory, NotARecord, parse_advisory

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DEMO = canonicalize_name("demo")


def parsed(**keys: Any) -> Advisory:
    return parse_advisory(json.dumps(record("GHSA-1", **keys)).encode(), NOW)


def test_a_record_has_ids_and_a_summary() -> None:
    found = parsed(aliases=["CVE-2026-1", " ", 7, " PYSEC-2026-1 "], summary="It is open\nto all")
    assert found.ids == ("GHSA-1", "CVE-2026-1", "PYSEC-2026-1")
    assert found.summary == "It is open"
    assert found.modified == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(
    ("keys", "summary"),
    [
        ({"details": "\n### Impact\n\nIt is open"}, "Impact"),
        ({"summary": "", "details": "  Open "}, "Open"),
        ({"summary": ["Open"], "details": None}, ""),
        ({}, ""),
    ],
)
def test_without_a_summary_the_details_begin_with_one(keys: dict[str, Any], summary: str) -> None:
    assert parsed(**keys).summary == summary


@pytest.mark.parametrize(
    ("moment", "is_withdrawn"),
    [
        ("2026-05-31T23:59:59Z", True),
        ("2026-06-01T02:00:00.123+02:30", True),
        ("2026-05-31", True),
        ("2026-06-02T00:00:00Z", False),
        ("", False),
        ("soon", False),
        (True, False),
        (None, False),
    ],
)
def test_a_record_is_withdrawn_from_its_moment_on(moment: object, is_withdrawn: bool) -> None:
    assert parsed(withdrawn=moment).is_withdrawn is is_withdrawn


def test_a_record_about_several_packages_has_the_fixes_of_each() -> None:
    other = {**span("0", "9.0"), "package": {"ecosystem": "PyPI", "name": "other"}}
    found = parse_advisory(
        json.dumps(record("GHSA-1", span("0", "2.0"), span("3.0", last="3.5"), other)).encode()
    )
    one, three = Version("1.0"), Version("3.1")
    assert [*map(str, found.fixes(DEMO, one))] == ["2.0"]
    assert [*map(str, found.last_affected(DEMO, three))] == ["3.5"]
    assert found.includes(DEMO, one)
    assert found.includes(DEMO, three)
    assert not found.includes(DEMO, Version("2.5"))
    assert not found.includes(canonicalize_name("third"), one)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is not JSON"),
        (b"<!doctype html>", "it is not JSON"),
        (b'{"id": "GHSA-1"', "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"id": "\xff"}', "it is not JSON"),
        (b"[]", "it is not an object of JSON"),
        (b"{}", "it has no id"),
        (b'{"id": 7}', "it has no id"),
        (b'{"id": " "}', "it has no id"),
        (b'{"id": "GHSA-1", "affected": "demo"}', "its affected is not a list"),
    ],
)
def test_another_text_is_no_record(content: bytes, problem: str) -> None:
    with pytest.raises(NotARecord) as raised:
        parse_advisory(content)
    assert str(raised.value) == problem


def test_a_record_may_be_about_nothing() -> None:
    assert parse_advisory(b'{"id": "GHSA-1", "affected": null}').affected == ()
    assert parse_advisory(b'{"id": "GHSA-1"}').affected == ()
