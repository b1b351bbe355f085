"""Options such as ``--no-binary`` name projects as pip's do."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from planner.model.project_set import ProjectSet, parse_names

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
