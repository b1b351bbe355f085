"""A refusal shows its causes in few lines, and its hint fits them."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from helpers.releases import TARGET
from planner.model.environments import MarkerEnvironment
from planner.resolver.supply import Supply
from planner.resolver.unsolvable import MAX_SHOWN_LINES, SearchTooLong, Unsolvable


def supply(name: str, *demands: str) -> Supply:
    return Supply(
        name=canonicalize_name(name),
        demands=demands,
        exists=False,
        versions=(),
        matching=(),
        prereleases=(),
        usable=False,
        rejections=(),
        obstacles=(),
        refusals=(),
        in_vain=True,
    )


def refusal(*supplies: Supply, advice: tuple[str, ...] = ()) -> Unsolvable:
    return Unsolvable(MarkerEnvironment((TARGET,)), supplies, advice)


def test_many_causes_are_cut_to_a_screen_and_counted() -> None:
    error = refusal(*(supply(f"app{number}") for number in range(50)), advice=("Did you mean x?",))
    shown = str(error).split("\n")
    assert len(shown) < MAX_SHOWN_LINES  # the hint is a line, too
    assert sum("more lines" in line for line in shown) == 1
    assert shown[-1] == "  Did you mean x?"


@pytest.mark.parametrize(
    ("origins", "end"),
    [
        ((), "(--index URL, --find-links DIR)"),
        (("cli",), "; or leave the extra or group out (--no-extra, --no-group)"),
        (("cli", "web"), ", or leave one out (--no-extra, --no-group)"),
    ],
)
def test_the_extras_that_take_part_may_be_left_out(origins: tuple[str, ...], end: str) -> None:
    demands = [
        f"pyproject.toml [project.optional-dependencies] {one} requires app" for one in origins
    ]
    error = refusal(supply("app", *demands))
    assert error.hint.startswith("correct the name")
    assert error.hint.endswith(end)


def test_a_search_that_is_given_up_says_how_long_it_was() -> None:
    assert str(SearchTooLong(7)) == "no solution was found in 7 steps"
