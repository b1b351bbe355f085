"""Of extras and groups that exclude each other, each choice is a case of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from planner.model.choices import MAX_CHOICES, with_choices
from planner.model.dependencies import Scope
from planner.model.environments import MarkerEnvironment, group_targets
from schemas.errors import UsageError
from schemas.target import Target

ENVIRONMENTS = group_targets([Target.named("3.12", name) for name in ("linux", "windows")])
SCOPES = [Scope("extra", canonicalize_name(f"x{number}")) for number in range(6)]
CPU, CUDA, ROCM, *_ = SCOPES


def chosen(cases: tuple[MarkerEnvironment, ...]) -> list[str]:
    return [" ".join(sorted(scope.name for scope in one.chosen)) for one in cases]


def test_without_conflicts_the_environments_are_the_cases() -> None:
    assert with_choices(ENVIRONMENTS, []) == ENVIRONMENTS


def test_of_a_set_one_is_chosen_or_none_in_each_environment() -> None:
    cases = with_choices(ENVIRONMENTS, [{CPU, CUDA}])
    assert chosen(cases) == ["", "x1", "x0"] * 2
    assert [one.targets for one in cases[:3]] == [ENVIRONMENTS[0].targets] * 3
    assert [str(one) for one in cases[:2]] == [
        "CPython 3.12.0 on manylinux_2_28_x86_64 without extra x0, extra x1",
        "CPython 3.12.0 on manylinux_2_28_x86_64 with extra x1",
    ]


def test_what_excludes_nothing_together_may_be_chosen_together() -> None:
    cases = with_choices(ENVIRONMENTS[:1], [{CPU, CUDA}, {CUDA, ROCM}])
    assert sorted(chosen(cases)) == ["", "x0", "x0 x2", "x1", "x2"]


@given(st.lists(st.frozensets(st.sampled_from(SCOPES[:4]), min_size=2), max_size=3))
def test_the_choices_are_all_selections_that_no_set_forbids(sets: list[frozenset[Scope]]) -> None:
    scopes = sorted(frozenset().union(*sets))
    cases = with_choices(ENVIRONMENTS[:1], sets)
    allowed = set()
    for number in range(1 << len(scopes)):
        choice = frozenset(one for place, one in enumerate(scopes) if number >> place & 1)
        if all(len(choice & one) < 2 for one in sets):
            allowed.add(choice)
    assert {one.chosen for one in cases} == allowed
    assert len(cases) == len(allowed)
    assert all(one.chosen | one.excluded == set(scopes) for one in cases)


def test_more_choices_than_can_be_solved_are_refused() -> None:
    pairs = [set(SCOPES[place : place + 2]) for place in (0, 2, 4)]
    assert len(with_choices(ENVIRONMENTS[:1], pairs)) == 27 <= MAX_CHOICES
    more = [Scope("group", canonicalize_name(f"g{number}")) for number in range(2)]
    with pytest.raises(UsageError) as raised:
        with_choices(ENVIRONMENTS[:1], [*pairs, more])
    assert str(raised.value) == "the conflicts leave more than 32 choices of extras and groups"
