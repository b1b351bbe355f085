"""The index by extra leaves out only requirements that the extra cannot add."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from planner.metadata.core_metadata import select
from planner.metadata.requirements_by_extra import RequirementsByExtra
from planner.model.dependencies import MarkerEvaluator
from schemas.target import Target

NAMES = ("x", "Y_y", "z")
EXTRAS = tuple(map(canonicalize_name, (*NAMES, "other")))
COMPARISONS = (
    *(f"extra {operator} '{name}'" for operator, name in product(("==", "!="), (*NAMES, ""))),
    "'x' == extra", "'z' != extra", "extra in 'x other'", "extra not in 'x z'", "'t' in extra",
    "extra > 'x'", "os_name == 'extra'", 'platform_version == "a \' extra"',
    "sys_platform == 'linux'", "python_version < '3'",
)  # fmt: skip
MARKERS = st.recursive(
    st.sampled_from(COMPARISONS),
    lambda one: st.tuples(one, st.sampled_from(["and", "or"]), one).map(
        lambda parts: f"({' '.join(parts)})"
    ),
    max_leaves=4,
)


def evaluator() -> MarkerEvaluator:
    return MarkerEvaluator(Target.named("3.11", "manylinux_2_28_x86_64").environment)


def texts(requirements: Iterable[Requirement], extra: NormalizedName | None) -> list[str]:
    return [one.text for one in select(requirements, evaluator(), extra)]


@given(st.lists(MARKERS, min_size=1, max_size=6), st.sampled_from([None, *EXTRAS]))
def test_what_it_leaves_out_applies_because_of_no_extra(
    markers: list[str], extra: NormalizedName | None
) -> None:
    requirements = [
        Requirement("always"),
        *(Requirement(f"d{number}; {marker}") for number, marker in enumerate(markers)),
    ]
    found = RequirementsByExtra(requirements).of(extra)
    assert texts(found, extra) == texts(requirements, extra)


@pytest.mark.parametrize("extra", EXTRAS)
def test_requirements_of_other_extras_are_not_looked_at(extra: NormalizedName) -> None:
    requirements = [Requirement(f"of-{name}; extra == '{name}'") for name in EXTRAS]
    index = RequirementsByExtra([Requirement("always"), *requirements])
    assert [one.name for one in index.of(extra)] == [f"of-{extra}"]
