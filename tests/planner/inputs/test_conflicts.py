"""Which extras and groups exclude each other is read, and follows for groups that include them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.conflicts import read_conflicts, with_including_groups
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
    cpu, docs, dev = map(canonicalize_name, ("cpu", "docs", "dev"))
    included: dict[NormalizedName, list[NormalizedName]] = {cpu: [], docs: [], dev: [docs, cpu]}
    assert with_including_groups(conflicts, included) == (
        *conflicts, frozenset({group("dev"), extra("cuda")}),
    )  # fmt: skip


def test_a_group_that_includes_a_whole_set_excludes_nothing_more() -> None:
    conflicts = (frozenset({group("a"), group("b")}),)
    names = [canonicalize_name(name) for name in "ab"]
    *_, more = with_including_groups(conflicts, {canonicalize_name("all"): names})
    assert more == {group("all")}
