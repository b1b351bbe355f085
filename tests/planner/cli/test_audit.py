"""``audit``: which releases of a lock are known to be vulnerable, on standard output, and whether
there are any as the exit status.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import lockstream
from helpers.advisories import AdvisoryServer, advisory_server, export_of, record, span
from helpers.exports import wheel
from helpers.index import Index
from helpers.locks import foreign_lock, plan_into
from helpers.wheels import build_wheel
from planner.advisories.service import PUBLIC_SERVICE

SUMMARY = "It is open to all"
RECORDS = (
    record("GHSA-a", span("0", "1.5"), about="app", aliases=["CVE-2026-1"], summary=SUMMARY),
    record("PYSEC-1", span("0", "1.5"), about="app", aliases=["CVE-2026-1"]),
    record("MAL-1", span("0"), about="base"),
    record("GHSA-w", span("0"), about="same", withdrawn="2026-01-01T00:00:00Z"),
    record("GHSA-o", span("9"), about="same"),
)
TABLE = [
    "package  version  fixed in  advisories",
    "app          1.0  1.5       CVE-2026-1, GHSA-a, PYSEC-1  It is open to all",
    "base         1.0  -         MAL-1",
]
SUMS = [
    "",
    "2 known vulnerabilities in 2 of 3 releases",
    "lockstream plan --upgrade-package app chooses later versions, if the inputs allow them",
    "no version without it is known of base",
]


@pytest.fixture(autouse=True)
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Index) -> None:
    """A planned lock of three packages, one of which is for an extra."""
    monkeypatch.chdir(tmp_path)
    index.add(*(build_wheel(name, "1.0") for name in ("app", "base", "same")))
    plan_into(index, tmp_path, ["app", "base", "same"])


@pytest.fixture(name="server")
def _server() -> Iterator[AdvisoryServer]:
    with advisory_server() as running:
        running.add(*(one for one in RECORDS if one["id"] != "GHSA-o"))
        yield running


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> str:
    export_of(tmp_path / "all.zip", RECORDS)
    return "all.zip"


def test_a_service_finds_what_is_affected(
    server: AdvisoryServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(["audit", "--service", server.url]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [*TABLE, *SUMS]
    assert told.err == ""


def test_a_database_finds_the_same(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["audit", "--offline", "--database", database]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        *TABLE, *SUMS, "all.zip has 5 advisories, the last one changed on 2026-01-02",
    ]  # fmt: skip
    assert told.err == ""


def test_a_clean_lock_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A withdrawn advisory, and one about a later version, are no findings."""
    export_of(tmp_path / "all.zip", [one for one in RECORDS if "same" in str(one["affected"])])
    assert lockstream.main(["audit", "--database", "all.zip"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "3 releases, none has a known vulnerability",
        "all.zip has 2 advisories, the last one changed on 2026-01-02",
    ]


def test_for_programs(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["audit", "--database", database, "--json", "--ignore", "MAL-1"]
    assert lockstream.main(words) == 1
    told = capsys.readouterr()
    assert told.err == ""
    assert json.loads(told.out) == {
        "lock": "pylock.toml",
        "source": "all.zip",
        "advisories": 5,
        "newest": "2026-01-02T03:04:05Z",
        "releases": 3,
        "vulnerable": [
            {
                "name": "app",
                "version": "1.0",
                "ids": ["CVE-2026-1", "GHSA-a", "PYSEC-1"],
                "fixed": ["1.5"],
                "last-affected": None,
                "summary": SUMMARY,
            }
        ],
        "ignored": [
            {
                "name": "base",
                "version": "1.0",
                "ids": ["MAL-1"],
                "fixed": [],
                "last-affected": None,
                "summary": "",
            }
        ],
        "unaudited": [],
        "upgrade": ["lockstream plan --upgrade-package app"],
    }


def test_quiet_prints_the_table_alone(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["-q", "audit", "--database", database]) == 1
    assert capsys.readouterr().out.splitlines() == TABLE


def test_what_is_ignored_does_not_fail_a_job(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTREAM_IGNORE", "CVE-2026-1 MAL-1=fixed GHSA-x")
    assert lockstream.main(["audit", "--database", database]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == "3 releases, none has a known vulnerability, 2 ignored"
    assert told.err == "warning: --ignore GHSA-x names nothing that was found\n"


def test_one_finding_is_told_in_the_singular(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(["audit", "--database", database, "--ignore", "MAL-1"]) == 1
    assert "1 known vulnerability in 1 of 3 releases, 1 ignored" in capsys.readouterr().out


def test_the_last_affected_version_is_told_without_a_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_of(tmp_path / "all.zip", [record("GHSA-a", span("0", last="1.4"), about="app")])
    assert lockstream.main(["audit", "--database", "all.zip"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "app          1.0  > 1.4     GHSA-a"
    assert lines[4].startswith("lockstream plan --upgrade-package app chooses ")


def test_the_selection_decides_what_counts(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = [
        wheel("app", marker="'web' in extras"),
        wheel("base", marker="sys_platform == 'win32'"),
        {"name": "own", "version": "1.0", "directory": {"path": "."}},
    ]
    foreign_lock(tmp_path / "pylock.toml", packages, extras=["web"])

    def audited(*words: str) -> list[str]:
        lockstream.main(["audit", "--database", database, "--json", *words])
        return [one["name"] for one in json.loads(capsys.readouterr().out)["vulnerable"]]

    assert audited() == ["app", "base"]
    assert audited("--extra", "web") == ["app", "base"]
    assert audited("--no-default-groups") == ["base"]
    linux = ("--python-version", "3.12", "--platform", "linux")
    assert audited(*linux) == ["app"]
    assert lockstream.main(["audit", "--database", database, *linux, "--no-default-groups"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("0 releases, none has a known vulnerability\n")
    assert told.err == "not audited: own is locked as a folder\n"


def test_only_names_and_versions_are_sent(server: AdvisoryServer) -> None:
    """As docs/audit.md says."""
    lockstream.main(["audit", "--service", server.url])
    assert server.batches == [
        [
            {"package": {"name": name, "ecosystem": "PyPI"}, "version": "1.0"}
            for name in ("app", "base", "same")
        ]
    ]


def test_foreign_text_obeys_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = "::error::\x1b]0;x\x07" + "y" * 200
    aliases = ["GHSA-\x1b[2Ja", "\n::x", "z" * 10_000]
    hostile = record("GHSA-a", about="app", summary=summary, aliases=aliases)
    export_of(tmp_path / "all.zip", [hostile])
    assert lockstream.main(["audit", "--database", "all.zip"]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert not any(line.startswith("::") for line in out.splitlines())
    assert len(out.splitlines()) == 6
    assert len(out.splitlines()[1]) < 500


class TestErrors:
    def said(self, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
        status = lockstream.main(["audit", *words])
        told = capsys.readouterr()
        assert told.out == ""
        return status, told.err.splitlines()

    def test_an_address_that_is_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        status, lines = self.said(capsys, "--service", "http://127.0.0.1:1/?x")
        assert status == 2
        assert lines == [
            "error: --service http://127.0.0.1:1/ is not the address of a service",
            f"hint: an address begins with https://, and has no query, such as {PUBLIC_SERVICE}",
        ]

    def test_a_service_that_answers_otherwise(
        self, server: AdvisoryServer, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.answers["/v1/querybatch"] = [(200, {}, b"<html>")]
        status, lines = self.said(capsys, "--service", server.url)
        assert status == 5
        assert lines[0] == (
            f"error: {server.url}/v1/querybatch: it answers with a web page, not with JSON"
        )

    def test_a_database_that_is_not_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        status, lines = self.said(capsys, "--database", "none.zip")
        assert (status, lines[0]) == (3, "error: none.zip: No such file or directory")

    def test_a_database_that_is_none(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "all.zip").write_text("<html>")
        status, lines = self.said(capsys, "--database", "all.zip")
        assert status == 3
        assert lines[0] == "error: all.zip: it is neither a folder nor a zip archive"

    def test_a_lock_that_is_none(
        self, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "pylock.toml").write_text("x = 1")
        assert self.said(capsys, "--database", database)[0] == 3

    def test_no_place_to_look(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LOCKSTREAM_OFFLINE", "1")
        status, lines = self.said(capsys)
        assert (status, lines[0]) == (2, "error: --offline leaves no place to look for advisories")
        assert lines[1] == (
            "hint: name a copy of the database with --database, such as OSV's all.zip of PyPI; "
            "--offline is set by LOCKSTREAM_OFFLINE"
        )

    def test_an_ignore_that_is_none(
        self, database: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ("--database", database, "--ignore", "GHSA-a=soon")
        status, lines = self.said(capsys, *words)
        assert (status, lines[0]) == (2, "error: --ignore GHSA-a=soon is not the id of an advisory")

    def test_an_extra_that_the_lock_does_not_have(
        self, database: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.said(capsys, "--database", database, "--extra", "none")[0] == 2
