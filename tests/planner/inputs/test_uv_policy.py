"""What uv is told to choose is chosen here too; what means nothing here is named."""

from __future__ import annotations

from typing import Any

import pytest

from planner.index.indexes import Strategy
from planner.inputs.settings import Settings
from planner.inputs.uv_policy import read_moment, read_uv_policy
from planner.model.policy import Ordering, Prereleases


def test_the_choice_of_versions_is_read() -> None:
    found, meaningless = read_uv_policy({
        "prerelease": "if-necessary-or-explicit", "resolution": "lowest-direct",
        "index-strategy": "unsafe-best-match", "exclude-newer": "7 days",
        "exclude-newer-package": {"demo": False, "other": "2026-01-02"},
    })  # fmt: skip
    assert found == Settings(
        prerelease=Prereleases.IF_NECESSARY,
        resolution=Ordering.LOWEST_DIRECT,
        index_strategy=Strategy.UNSAFE_BEST_MATCH,
        exclude_newer="7 days",
        exclude_newer_package={"demo": "false", "other": "2026-01-03"},
    )
    assert not meaningless


def test_what_is_built_and_what_is_not_is_read() -> None:
    found, _ = read_uv_policy({"no-binary-package": ["a"], "no-build": True})
    assert (found.no_binary, found.only_binary) == (("a",), (":all:",))
    found, _ = read_uv_policy({"no-binary": True, "no-build-package": ["b"]})
    assert (found.no_binary, found.only_binary) == ((":all:",), ("b",))


def test_what_has_no_meaning_here_is_named() -> None:
    table = {"prerelease": "explicit", "index-strategy": "unsafe-first-match", "resolution": "x"}
    found, meaningless = read_uv_policy(table)
    assert found == Settings()
    assert meaningless == set(table)


def test_an_empty_table_says_nothing() -> None:
    assert read_uv_policy({}) == (Settings(), set())


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (None, None),
        (False, "false"),
        ("2026-12-31", "2027-01-01"),
        ("2026-01-02T10:00:00Z", "2026-01-02T10:00:00Z"),
        ("30 days", "30 days"),
        ("P7D", "P7D"),
        ("1234567890", "1234567890"),
    ],
)
def test_a_date_counts_to_its_end_as_for_uv(value: object, moment: str | None) -> None:
    assert read_moment(value) == moment


@pytest.mark.parametrize("table", [{"exclude-newer": 5}, {"prerelease": ["allow"]}])
def test_a_value_of_another_kind_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="a string was expected"):
        read_uv_policy(table)


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"exclude-newer": "2020"}, r"\[tool.uv\] exclude-newer: '2020' is not a moment; write it"),
        (
            {"exclude-newer-package": {"demo": "soon"}},
            "exclude-newer-package demo: 'soon' is not a",
        ),
        ({"exclude-newer-package": ["demo=2020-01-01"]}, "exclude-newer-package is not a table"),
    ],
)
def test_what_is_no_limit_is_named_with_its_key(table: dict[str, Any], problem: str) -> None:
    with pytest.raises((TypeError, ValueError), match=problem):
        read_uv_policy(table)
