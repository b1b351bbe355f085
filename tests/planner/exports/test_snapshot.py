"""The snapshot for GitHub's dependency graph."""

from __future__ import annotations

import json
from typing import Any

from executor import SelectOptions
from helpers.exports import directly, lock_with, wheel
from planner.exports.direct import Direct
from planner.exports.selection import select_packages
from planner.exports.snapshot import Scan, dependency_snapshot
from planner.exports.workflow_run import WorkflowRun
from schemas.version import VERSION

RUN = WorkflowRun(
    sha="a" * 40, ref="refs/heads/main", run_id="7", workflow="CI", job="test", url=""
)
SCAN = Scan(run=RUN, moment=1_700_000_000, place="api/pylock.toml")
LOCK = lock_with(
    wheel("app", dependencies=[{"name": "base"}, {"name": "demo"}]),
    wheel("base"),
    wheel("docs", marker='"docs" in dependency_groups'),
    {"name": "demo", "directory": {"path": "."}},
    dependency_groups=["docs"],
)


def snapshot(direct: Direct | None) -> dict[str, Any]:
    packages = select_packages(LOCK, SelectOptions(all_groups=True))
    document = json.loads(dependency_snapshot(LOCK, packages, direct, SCAN))
    assert isinstance(document, dict)
    return document


def test_it_has_what_the_api_requires() -> None:
    """By the schema ``snapshot`` of GitHub's description of its API."""
    document = snapshot(None)
    del document["manifests"]
    assert document == {
        "version": 0,
        "job": {"correlator": "CI_test_api/pylock.toml", "id": "7"},
        "sha": "a" * 40,
        "ref": "refs/heads/main",
        "detector": {
            "name": "lockstream",
            "version": VERSION,
            "url": f"pkg:pypi/lockstream@{VERSION}",
        },
        "scanned": "2023-11-14T22:13:20Z",
    }


def test_what_runs_a_job_obeys_nothing_in_it() -> None:
    scan = Scan(run=RUN, moment=0, place="##vso[a]b/pylock.toml")
    text = dependency_snapshot(LOCK, [], None, scan)
    assert "##" not in text
    assert [*json.loads(text)["manifests"]] == ["##vso[a]b/pylock.toml"]


def test_each_package_names_what_it_depends_on_and_what_it_is_for() -> None:
    found = snapshot(directly("app", "docs"))["manifests"]["api/pylock.toml"]
    assert found["file"] == {"source_location": "api/pylock.toml"}
    base = "pkg:pypi/base@1.0"
    told = {
        url: (one["package_url"], one["relationship"], one["scope"], one["dependencies"])
        for url, one in found["resolved"].items()
    }
    assert told == {
        url: (url, *rest)
        for url, *rest in (
            ("pkg:pypi/app@1.0", "direct", "runtime", [base]),
            (base, "indirect", "runtime", []),
            ("pkg:pypi/docs@1.0", "direct", "development", []),
        )
    }


def test_it_does_not_say_what_is_direct_if_the_inputs_are_not_known() -> None:
    found = snapshot(None)["manifests"]["api/pylock.toml"]["resolved"]
    assert all("relationship" not in one for one in found.values())
