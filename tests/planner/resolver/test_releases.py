"""The files of an index are releases by version, and a specifier stands for a set of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from helpers.releases import page_of, project_of
from planner.resolver.releases import Project, compares_texts

VERSION = st.sampled_from(
    ["1.0", "1.0.0", "1.1", "1.1rc1", "2.0", "2.0.dev1", "2.0+local", "2.0.post1", "1!0.1"]
)
PART = st.one_of(
    st.tuples(st.sampled_from(["==", "===", "!="]), VERSION),
    st.tuples(st.sampled_from([">=", "<", "~="]), VERSION.filter(lambda text: "+" not in text)),
    st.tuples(st.just("=="), st.sampled_from(["1.*", "2.0.*"])),
).map("".join)
WHEELS = ("demo-1.0-py3-none-any.whl", "demo-1.0.0-py3-none-any.whl")


def test_spellings_of_one_version_are_one_release() -> None:
    found = Project(page_of("demo", *WHEELS, "demo-1.0.tar.gz", "demo-1.00.zip"))
    (release,) = found.releases
    assert len(list(release.files)) == 4


def test_files_whose_names_hold_no_version_are_of_no_release() -> None:
    names = ("demo-latest-py3-none-any.whl", "demo.whl", "demo-final.tar.gz", "demo-1.exe")
    assert Project(page_of("demo", *names)).releases == ()


def test_the_members_of_a_set_come_newest_first() -> None:
    found = project_of("demo", "1.9", "1.10", "2.0rc1")
    assert [str(release.version) for release in found.members(found.all)] == [
        "2.0rc1", "1.10", "1.9",
    ]  # fmt: skip
    assert [str(release.version) for release in found.members(found.final)] == ["1.10", "1.9"]


def test_a_set_of_one_is_its_release_and_that_of_a_version_nobody_has_is_empty() -> None:
    found = project_of("demo", "1.0", "2.0")
    one = found.set_of(Version("1.0.0"))
    assert found.release_of(one).version == Version("1.0")
    assert found.set_of(Version("3")) == 0
    assert list(found.members(0)) == []


@pytest.mark.parametrize(
    ("specifier", "expected"), [("", False), ("==1", False), ("===1", True), (">=1,===1.0", True)]
)
def test_a_specifier_compares_texts_if_a_part_of_it_does(specifier: str, expected: bool) -> None:
    assert compares_texts(SpecifierSet(specifier)) == expected


@given(
    st.lists(VERSION, unique=True, max_size=12),
    st.lists(PART, max_size=3),
)
@settings(max_examples=200, deadline=None)
def test_the_set_of_matching_releases_is_that_of_the_specifier(
    versions: list[str], parts: list[str]
) -> None:
    specifier = SpecifierSet(",".join(parts))
    found = project_of("demo", *versions)
    matching = {release.version for release in found.members(found.matching(specifier))}
    assert matching == {
        release.version
        for release in found.releases
        if any(specifier.contains(one, prereleases=True) for one in release.spellings)
    }
