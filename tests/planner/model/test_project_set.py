"""Options such as ``--no-binary`` name projects as pip's do."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from planner.model.project_set import (
    ProjectSet,
    first_invalid_name,
    parse_names,
    remarks_about_names,
)

DEMO = canonicalize_name("demo")


@pytest.mark.parametrize(
    ("words", "has_demo", "has_other"),
    [
        pytest.param([], False, False, id="nothing"),
        pytest.param(["Demo"], True, False, id="a name, normalized"),
        pytest.param(["a, demo ,"], True, False, id="names divided by commas"),
        pytest.param([":all:"], True, True, id="all"),
        pytest.param([":all:", ":none:"], False, False, id="none takes back all"),
        pytest.param(["demo", ":none:,other"], False, True, id="names after none count"),
        pytest.param([":all:", ":none:", "demo"], True, False, id="all, none, one"),
    ],
)
def test_names_all_and_none_are_read_in_their_order(
    words: list[str], has_demo: bool, has_other: bool
) -> None:
    projects = parse_names(words)
    assert (DEMO in projects, canonicalize_name("other") in projects) == (has_demo, has_other)
    assert bool(projects) == (has_demo or has_other)


def test_a_set_of_all_but_some_lacks_these() -> None:
    but_demo = ProjectSet(frozenset([DEMO]), are_excluded=True)
    assert DEMO not in but_demo
    assert canonicalize_name("other") in but_demo


@pytest.mark.parametrize(
    ("words", "sets", "wrong"),
    [
        pytest.param(["Demo", "a.b_c"], False, None, id="names"),
        pytest.param(["demo==2"], False, "demo==2", id="a version"),
        pytest.param(["a,b"], False, "a,b", id="names divided by commas, where one is meant"),
        pytest.param([":all:"], False, ":all:", id="all, where one is meant"),
        pytest.param(["", "a, b,", ":all:,:none:"], True, None, id="sets"),
        pytest.param(["a,b[x]", "c d"], True, "b[x]", id="the first"),
    ],
)
def test_a_word_that_is_no_name_is_found(words: list[str], sets: bool, wrong: str | None) -> None:
    assert first_invalid_name(words, sets=sets) == wrong


@pytest.mark.parametrize(
    ("words", "remarks"),
    [
        (["none", "a"], ["--x none names the project 'none'; the set is written :none:"]),
        (["a,ALL"], ["--x all names the project 'all'; the set is written :all:"]),
        ([":all:", "all"], []),
        (["all", ":none:"], []),
    ],
)
def test_a_set_without_its_colons_is_remarked(words: list[str], remarks: list[str]) -> None:
    assert list(remarks_about_names("--x", parse_names(words))) == remarks
