"""Which versions a record is about: ranges by PEP 440, lists, and what of it cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.version import Version

from helpers.advisories import span
from planner.advisories.affected import AffectedProject, affected_projects, public_version

Events = list[dict[str, str]]


def affected(**entry: Any) -> AffectedProject:
    (found,) = affected_projects([{"package": {"ecosystem": "PyPI", "name": "demo"}, **entry}])
    return found


def ranged(*events: dict[str, str], kind: str = "ECOSYSTEM") -> AffectedProject:
    return affected(ranges=[{"type": kind, "events": list(events)}])


def versions_in(project: AffectedProject, *versions: str) -> list[str]:
    found = project.affected(map(Version, versions))
    return [one for one in versions if Version(one) in found]


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([{"introduced": "0"}], "0.dev0 1 99", ""),
        ([{"introduced": "0"}, {"fixed": "2.0"}], "1 2.0rc1 2.0.dev3", "2.0 2 2.0.post1 3"),
        ([{"introduced": "1.0"}, {"fixed": "2.0"}], "1 1.0.post1", "0.9 1.0rc1 2"),
        ([{"introduced": "0"}, {"last_affected": "1.10"}], "1.9 1.10 1.10.0", "1.10.1 1.10.post1"),
        (
            [{"introduced": "1"}, {"fixed": "1.2"}, {"introduced": "2"}, {"fixed": "2.5"}],
            "1 1.1.9 2 2.4",
            "0.9 1.2 1.99 2.5",
        ),
        # In any order, and with fixes that follow each other.
        (
            [{"fixed": "1.8.16"}, {"introduced": "1.9"}, {"fixed": "1.8"}, {"introduced": "0"}],
            "1.7 1.9 2",
            "1.8 1.8.1 1.8.20",
        ),
        ([{"introduced": "1!0"}], "1!0 2!1", "0.1 2026.1"),
        ([{"introduced": "0"}, {"limit": "3"}], "2.9", "3 4"),
        ([{"introduced": "0"}, {"limit": "3"}, {"limit": "*"}], "2.9 3", ""),
        ([{"introduced": "2"}, {"fixed": "2"}], "", "1 2 3"),
        ([{"fixed": "2"}, {"introduced": "2"}], "2 3", "1"),
    ],
)
def test_a_range_is_read_as_its_schema_says(events: Events, inside: str, outside: str) -> None:
    project = ranged(*events)
    assert versions_in(project, *inside.split(), *outside.split()) == inside.split()


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([{}, {"fixed": "2"}], "1", "2"),
        ([{"introduced": "0"}, {}, {"fixed": "2"}], "1", "2"),
        ([{"introduced": "first"}, {"fixed": "2"}], "0.1 1", "2"),
        ([{"introduced": "0"}, {"fixed": "2.x"}], "1 2 3", ""),
        ([{"introduced": "0"}, {"last_affected": "?"}], "1 2 3", ""),
        ([{"introduced": "0"}, {"limit": "?"}], "1 2 3", ""),
        ([{"introduced": "0"}, {"limit": "2"}, {"limit": "?"}], "1 2 3", ""),
        ([{"introduced": "0"}, {"fixed": "1" * 5000}], "1 2", ""),
        ([{"introduced": 0}, {"fixed": 2}], "1 2", ""),
        ([None, "2", {"fixed": "2"}], "1", "2"),
    ],
)
def test_what_cannot_be_read_hides_no_release(events: Any, inside: str, outside: str) -> None:
    project = ranged(*events)
    assert versions_in(project, *inside.split(), *outside.split()) == inside.split()


def test_a_range_of_another_kind_of_version_is_compared_all_the_same() -> None:
    semver = ranged({"introduced": "0"}, {"fixed": "1.2.0"}, kind="SEMVER")
    assert versions_in(semver, "1.1", "1.2", "1.3") == ["1.1"]


def test_commits_say_nothing_of_versions() -> None:
    git = ranged({"introduced": "0"}, {"fixed": "6879efc2"}, kind="GIT")
    assert versions_in(git, "1.0") == []
    assert list(git.fixes(Version("1.0"))) == []


def test_listed_versions_are_compared_as_versions() -> None:
    listed = affected(versions=["1.0", "v2", "2004d", 7, "1" * 5000])
    assert versions_in(listed, "1", "1.0.0", "1.1", "2", "2.0.1") == ["1", "1.0.0", "2"]


def test_a_list_and_a_range_add_up() -> None:
    both = affected(versions=["5.4.1"], **span("0", "5.4"))
    assert versions_in(both, "5.3", "5.4", "5.4.1") == ["5.3", "5.4.1"]


class TestALocalLabel:
    """It names a build of the same release (PEP 440)."""

    def test_is_the_release_that_was_built(self) -> None:
        assert versions_in(affected(**span("0", last="2.0.0")), "2.0.0+cu118") == ["2.0.0+cu118"]
        assert versions_in(affected(versions=["2.0.0"]), "2.0.0+cpu", "2.0.1+cpu") == ["2.0.0+cpu"]
        assert versions_in(affected(**span("0", "2.0.0")), "2.0.0+cu118") == []

    def test_counts_if_the_record_has_labels(self) -> None:
        patched = affected(**span("0", "1.0+patched.2"))
        assert versions_in(patched, "1.0+patched.1", "1.0+patched.2") == ["1.0+patched.1"]
        assert versions_in(affected(versions=["1.0+a"]), "1.0+a", "1.0+b", "1.0") == ["1.0+a"]

    def test_is_no_fix_of_the_release(self) -> None:
        assert list(affected(**span("0", "2.0")).fixes(Version("2.0+cpu"))) == []

    def test_is_left_out_of_the_public_version(self) -> None:
        assert str(public_version(Version("2.0+cpu"))) == "2.0"
        assert str(public_version(Version("1!2.0rc1.post1"))) == "1!2.0rc1.post1"


def test_fixes_are_the_later_ones() -> None:
    project = affected(
        ranges=[*span("3.2", "3.2.16")["ranges"], *span("4.0", "4.0.8")["ranges"]], versions=[]
    )
    assert [*map(str, project.fixes(Version("3.2.16rc1")))] == ["3.2.16", "4.0.8"]
    assert [*map(str, project.fixes(Version("4.0.1")))] == ["4.0.8"]
    assert list(affected(**span("0", last="1.5")).fixes(Version("1.0"))) == []


def test_a_release_is_no_fix_of_itself() -> None:
    """A service may name an advisory for the version that the record has as fixed."""
    assert list(affected(**span("0", "2.0")).fixes(Version("2.0.0"))) == []


def test_the_last_affected_version_is_not_before_the_release() -> None:
    project = affected(ranges=[*span("0", last="1.5")["ranges"], *span("2", last="2.5")["ranges"]])
    assert [*map(str, project.last_affected(Version("2.5+cpu")))] == ["2.5"]
    assert [*map(str, project.last_affected(Version("1.0")))] == ["1.5", "2.5"]


@pytest.mark.parametrize("name", ["Demo.Project", "demo_project", " demo-project"])
def test_names_are_normalized(name: str) -> None:
    (found,) = affected_projects([{"package": {"ecosystem": "PyPI", "name": name}, **span("0")}])
    assert found.name == "demo-project"


@pytest.mark.parametrize(
    "package",
    [
        {"ecosystem": "npm", "name": "demo"},
        {"ecosystem": "PyPIx", "name": "demo"},
        {"ecosystem": "PyPI"},
        {"ecosystem": "PyPI", "name": 7},
        {"name": "demo"},
        {"ecosystem": ["PyPI"], "name": "demo"},
        "demo",
        None,
    ],
)
def test_other_packages_are_left_out(package: object) -> None:
    assert list(affected_projects([{"package": package, **span("0")}, None, 3])) == []


def test_the_address_of_an_index_may_follow_the_ecosystem() -> None:
    entry = {"package": {"ecosystem": "PyPI:https://index.example", "name": "demo"}}
    assert [one.name for one in affected_projects([{**entry, **span("0")}])] == ["demo"]
