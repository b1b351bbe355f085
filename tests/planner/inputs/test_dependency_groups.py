"""A group has the requirements of the groups that it includes, and an end."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.utils import canonicalize_name

from planner.inputs.dependency_groups import MAX_INCLUDED, MAX_NESTING, group_lines
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.project_document import InvalidProject

A = canonicalize_name("a")


def lines(groups: dict[str, Any]) -> list[str]:
    return group_lines("pyproject.toml", groups, A)[1]


def test_an_included_group_stands_where_it_is_included() -> None:
    assert lines({"A": ["x", {"include-group": "b"}, "z"], "B": ["y>1"]}) == ["x", "y>1", "z"]


def test_a_circle_is_named_with_the_groups_that_there_are() -> None:
    groups = {"a": [{"include-group": "b"}], "b": [{"include-group": "a"}]}
    with pytest.raises(InvalidProject, match=r"Cyclic .*\(its dependency groups: a, b\)"):
        lines(groups)


def test_a_line_that_is_no_requirement_is_named_by_its_group() -> None:
    with pytest.raises(InvalidRequirementLine, match=r"pyproject.toml \[dependency-groups\] b"):
        lines({"a": [{"include-group": "b"}], "b": ["demo 1"]})


def test_groups_that_double_each_other_end() -> None:
    """Twenty of them would be read for minutes."""
    groups = {f"g{depth}": [{"include-group": f"g{depth + 1}"}] * 2 for depth in range(20)}
    with pytest.raises(InvalidProject, match=f"'a' includes more than {MAX_INCLUDED} requirements"):
        lines({**groups, "g20": ["x"], "a": [{"include-group": "g0"}]})


def test_a_chain_that_is_too_long_is_an_error() -> None:
    """Python would end it with a RecursionError."""
    length = MAX_NESTING + 2
    chain = {f"g{depth}": [{"include-group": f"g{depth + 1}"}] for depth in range(length)}
    with pytest.raises(InvalidProject, match=f"more than {MAX_NESTING} groups include each other"):
        lines({**chain, f"g{length}": ["x"], "a": [{"include-group": "g0"}]})
