"""Advisories that are aliases are one vulnerability; withdrawn ones are none; the fix is a version
that none of them is about.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.advisories import advisory_server, export_of, record, span
from planner.advisories.advisory import Pin
from planner.advisories.audit import Audit, AuditRequest, Finding, audit_releases
from planner.advisories.ignores import Ignore
from schemas.errors import UsageError

TODAY = date(2026, 6, 1)


def pin(name: str = "demo", version: str = "1.0") -> Pin:
    return canonicalize_name(name), Version(version)


@pytest.fixture(name="audited", params=["database", "service"])
def _audited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """A function that audits releases with these records, in a database or by a service."""

    def by_database(records: list[dict[str, Any]], *pins: Pin, ignores: Any = ()) -> Audit:
        database = export_of(tmp_path / "all.zip", records)
        ignored = tuple(map(Ignore.parse, ignores))
        return audit_releases(pins, AuditRequest(database=database, ignores=ignored), TODAY)

    if request.param == "database":
        yield by_database
        return
    with advisory_server() as server:

        def by_service(records: list[dict[str, Any]], *pins: Pin, ignores: Any = ()) -> Audit:
            server.add(*records)
            ignored = tuple(map(Ignore.parse, ignores))
            return audit_releases(pins, AuditRequest(service=server.url, ignores=ignored), TODAY)

        yield by_service


def only(audit: Audit) -> Finding:
    (finding,) = audit.findings
    return finding


def test_aliases_are_one_vulnerability(audited: Any) -> None:
    found = only(
        audited(
            [
                record("PYSEC-2026-1", span("0", "1.5"), aliases=["CVE-2026-1"]),
                record("GHSA-aaaa", span("0", "1.5"), aliases=["CVE-2026-1"], summary="Open"),
            ],
            pin(),
        )
    )
    assert found.ids == ("CVE-2026-1", "GHSA-aaaa", "PYSEC-2026-1")
    assert (found.fixed, found.summary) == ((Version("1.5"),), "Open")


def test_aliases_of_aliases_are_the_same(audited: Any) -> None:
    """The last record joins the two others, which have nothing in common."""
    found = only(
        audited(
            [
                record("A-1", aliases=["CVE-1"]),
                record("B-1", aliases=["CVE-2"]),
                record("C-1", aliases=["CVE-1", "CVE-2"]),
            ],
            pin(),
        )
    )
    assert found.ids == ("CVE-1", "CVE-2", "A-1", "B-1", "C-1")


def test_other_vulnerabilities_stay_apart(audited: Any) -> None:
    audit = audited([record("GHSA-b"), record("GHSA-a"), record("CVE-1")], pin())
    assert [one.ids for one in audit.findings] == [("CVE-1",), ("GHSA-a",), ("GHSA-b",)]


def test_a_withdrawn_advisory_is_none(audited: Any) -> None:
    withdrawn = record("GHSA-a", aliases=["CVE-1"], withdrawn="2026-01-01T00:00:00Z")
    audit = audited([withdrawn], pin())
    assert (audit.findings, audit.count) == ((), 1)


def test_a_withdrawn_alias_hides_no_other_advisory(audited: Any) -> None:
    withdrawn = record("GHSA-a", aliases=["CVE-1"], withdrawn="2026-01-01T00:00:00Z")
    audit = audited([withdrawn, record("PYSEC-1", aliases=["CVE-1"])], pin())
    assert only(audit).ids == ("CVE-1", "PYSEC-1")


def test_a_fix_is_a_version_that_no_alias_is_about(audited: Any) -> None:
    records = [
        record("GHSA-a", span("0", "2.0"), aliases=["CVE-1"]),
        record("PYSEC-1", span("0", "2.0.1"), aliases=["CVE-1"]),
    ]
    assert only(audited(records, pin())).fixed == (Version("2.0.1"),)


def test_fixes_of_several_branches_are_sorted(audited: Any) -> None:
    branches = [span("4.1", "4.1.10"), span("3.2", "3.2.16"), span("4.0", "4.0.8")]
    finding = only(audited([record("GHSA-a", *branches)], pin(version="4.0.1")))
    assert [*map(str, finding.fixed)] == ["4.0.8", "4.1.10"]


def test_without_a_fix_the_last_affected_version_counts(audited: Any) -> None:
    finding = only(audited([record("GHSA-a", span("0", last="1.4"))], pin()))
    assert (finding.fixed, finding.last_affected) == ((), Version("1.4"))
    assert finding.has_end


def test_an_alias_without_an_end_leaves_none(audited: Any) -> None:
    records = [
        record("GHSA-a", span("0", last="1.4"), aliases=["CVE-1"]),
        record("PYSEC-1", span("0"), aliases=["CVE-1"]),
    ]
    finding = only(audited(records, pin()))
    assert (finding.fixed, finding.last_affected, finding.has_end) == ((), None, False)


def test_the_fix_of_another_project_is_none(audited: Any) -> None:
    other = {**span("0", "9.0"), "package": {"ecosystem": "PyPI", "name": "other"}}
    assert only(audited([record("GHSA-a", span("0"), other)], pin())).fixed == ()


def test_releases_are_sorted_and_counted_once(audited: Any) -> None:
    audit = audited(
        [record("GHSA-a"), record("GHSA-b", about="other")],
        pin("other"), pin(version="1.10"), pin(version="1.9"), pin("other"), pin("clean"),
    )  # fmt: skip
    assert [(one.name, str(one.version)) for one in audit.findings] == [
        ("demo", "1.9"),
        ("demo", "1.10"),
        ("other", "1.0"),
    ]
    assert audit.count == 4


class TestIgnored:
    def test_by_any_alias(self, audited: Any) -> None:
        records = [record("GHSA-a", aliases=["CVE-1"]), record("GHSA-b")]
        audit = audited(records, pin(), ignores=["cve-1"])
        assert only(audit).ids == ("GHSA-b",)
        assert [one.ids for one in audit.ignored] == [("CVE-1", "GHSA-a")]
        assert audit.remarks == ()

    def test_until_a_day(self, audited: Any) -> None:
        audit = audited([record("GHSA-a")], pin(), ignores=["GHSA-a=2026-05-31"])
        assert only(audit).ids == ("GHSA-a",)
        assert audit.remarks == ("--ignore GHSA-a has ended on 2026-05-31",)

    def test_until_it_is_fixed(self, audited: Any) -> None:
        records = [record("GHSA-a", span("0", "2.0")), record("GHSA-b", span("0", last="3"))]
        audit = audited(records, pin(), ignores=["GHSA-a=fixed", "GHSA-b=fixed"])
        assert only(audit).ids == ("GHSA-a",)
        assert [one.ids for one in audit.ignored] == [("GHSA-b",)]

    def test_what_is_not_there_is_told(self, audited: Any) -> None:
        audit = audited([record("GHSA-a", about="other")], pin(), ignores=["GHSA-a"])
        assert audit.remarks == ("--ignore GHSA-a names nothing that was found",)


def test_a_database_says_how_new_it_is(tmp_path: Path) -> None:
    path = export_of(tmp_path / "all.zip", [record("GHSA-a", span("2.0"))])
    audit = audit_releases([pin()], AuditRequest(database=path))
    assert (audit.findings, audit.place) == ((), path)
    assert (audit.records, audit.newest) == (1, "2026-01-02T03:04:05Z")


def test_what_a_service_names_without_a_record_counts() -> None:
    with advisory_server() as server:
        server.named["demo"] = ["GHSA-a"]
        audit = audit_releases([pin()], AuditRequest(service=f"{server.url}/"))
    assert only(audit).ids == ("GHSA-a",)
    assert audit.place == server.url
    assert audit.remarks == (f"{server.url} has no record of GHSA-a, which it names",)


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (AuditRequest(service="x", database="y"), "--service and --database exclude each other"),
        (AuditRequest(offline=True), "--offline leaves no place to look for advisories"),
    ],
)
def test_a_request_has_one_place_to_look(request_: AuditRequest, problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        request_.check()
    assert str(raised.value) == problem


def test_a_database_is_enough_offline() -> None:
    AuditRequest(offline=True, database="all.zip").check()


def test_a_record_that_names_fixes_without_end_is_judged_at_once(audited: Any) -> None:
    """Each fix was compared with all others: a record of 1 MB took minutes."""
    events = [{"introduced": "0"}, *({"fixed": f"2.{one}"} for one in range(20_000))]
    listed = [f"0.{one}" for one in range(20_000)]
    entry = {
        "package": {"name": "demo", "ecosystem": "PyPI"},
        "versions": listed,
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    began = time.process_time()
    found = only(audited([record("GHSA-a", entry)], pin()))
    assert found.fixed == tuple(Version(f"2.{one}") for one in range(100))
    assert time.process_time() - began < 20
