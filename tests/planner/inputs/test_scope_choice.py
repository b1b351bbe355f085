"""The user, or the project, says which extras a lock holds; else it holds all."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from planner.inputs.project_document import InvalidProject
from planner.inputs.scope_choice import ScopeChoice

KNOWN = set(map(canonicalize_name, "abc"))


@pytest.mark.parametrize(
    ("choice", "configured", "chosen"),
    [
        (ScopeChoice(), None, "abc"),
        (ScopeChoice(), ["B"], "b"),
        (ScopeChoice(), [], ""),
        (ScopeChoice(["A"]), ["b"], "a"),
        (ScopeChoice(left_out=["c"]), None, "ab"),
        (ScopeChoice(["a", "c"], ["c"]), None, "a"),
        (ScopeChoice(everything=True), ["b"], "abc"),
        (ScopeChoice(everything=False), ["b"], ""),
        (ScopeChoice(["a"], everything=False), ["b"], "a"),
    ],
)
def test_those_that_are_named_count_before_those_of_the_settings(
    choice: ScopeChoice, configured: list[str] | None, chosen: str
) -> None:
    found = choice.choose(KNOWN, configured, kind="extra", path="pyproject.toml")
    assert found == list(chosen)


def test_one_that_no_project_has_is_named() -> None:
    with pytest.raises(InvalidProject) as raised:
        ScopeChoice(["a", "d"]).choose(KNOWN, None, kind="extra", path="pyproject.toml")
    assert str(raised.value) == "pyproject.toml: there is no extra 'd'; it has a, b, c"
