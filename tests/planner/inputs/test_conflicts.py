"""Which extras and groups exclude each other is read, and follows for groups that include them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from planner.inputs.conflicts import read_conflicts, with_including
from planner.model.dependencies import Scope


def extra(name: str) -> Scope:
    return Scope("extra", canonicalize_name(name))


def group(name: str) -> Scope:
    return Scope("group", canonicalize_name(name))


def test_a_set_has_extras_and_groups() -> None:
    found = read_conflicts([[{"extra": "Cpu"}, {"package": "demo", "group": "dev"}]])
    assert found == (frozenset({extra("cpu"), group("dev")}),)
    assert read_conflicts([]) == ()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (1, "is not a list of lists of tables"),
        ([{"extra": "x"}], "is not a list of lists of tables"),
        ([["x"]], "each entry is a table of extra or group"),
        ([[{"extra": "x", "marker": "y"}]], "each entry is a table of extra or group"),
        ([[{"package": "x"}]], "each entry names an extra or a group"),
        ([[{"extra": "x", "group": "y"}]], "has both an extra and a group"),
    ],
)
def test_what_is_no_conflict_is_named(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        read_conflicts(value)


def test_a_group_excludes_what_those_exclude_that_it_includes() -> None:
    conflicts = (frozenset({group("cpu"), extra("cuda")}),)
    cpu, docs, dev = map(group, ("cpu", "docs", "dev"))
    included: dict[Scope, list[Scope]] = {cpu: [], docs: [], dev: [docs, cpu]}
    assert with_including(conflicts, included) == (
        *conflicts, frozenset({group("dev"), extra("cuda")}),
    )  # fmt: skip


def test_a_group_that_includes_a_whole_set_excludes_nothing_more() -> None:
    conflicts = (frozenset({group("a"), group("b")}),)
    *_, more = with_including(conflicts, {group("all"): [group("a"), group("b")]})
    assert more == {group("all")}


def test_two_groups_exclude_each_other_if_they_include_what_does() -> None:
    conflicts = (frozenset({extra("cpu"), extra("cuda")}),)
    test, bench = group("test"), group("bench")
    included = {test: [extra("cpu")], bench: [extra("cuda")], group("lint"): [extra("cpu")]}
    assert set(with_including(conflicts, included)) == {
        *conflicts,
        frozenset({test, extra("cuda")}), frozenset({group("lint"), extra("cuda")}),
        frozenset({bench, extra("cpu")}),
        frozenset({bench, test}), frozenset({bench, group("lint")}),
    }  # fmt: skip
