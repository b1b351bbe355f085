"""Alternatives of versions become one specifier that allows the same versions, or an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from planner.inputs.poetry import poetry_specifier
from planner.inputs.poetry_union import united


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("^1.8 || ^2.0", ">=1.8,<3"),
        ("^1.2|^2.0", ">=1.2,<3"),
        ("^1.8 || ^2.0 || ^4", ">=1.8,<5,!=3.*"),
        ("^0.1 || ^0.3", ">=0.1,<0.4,!=0.2.*"),
        ("==1.2.* || ~1.4", ">=1.2,<1.5,!=1.3.*"),
        ("3.* || 1.*", ">=1,<4,!=2.*"),
        ("<1 || >=2", "!=1.*"),
        ("<2 || <3", "<3"),
        ("* || ^1", ""),
        ("^1!1 || ^1!2", ">=1!1,<1!3"),
        ("1.0 || 1.0", "==1.0"),
    ],
)
def test_alternatives_are_one_specifier(text: str, specifier: str) -> None:
    assert poetry_specifier(text) == specifier


@pytest.mark.parametrize(
    ("text", "between"),
    [("1.0 || 2.0", "1.0 and 2.0"), ("~2.7 || ^3.5", "2.8 and 3.5"), ("<1 || >=30", "1 and 30")],
)
def test_a_gap_that_no_specifier_excludes_is_an_error(text: str, between: str) -> None:
    with pytest.raises(ValueError, match="between") as caught:
        poetry_specifier(text)
    assert str(caught.value) == (
        f"{text!r}: the versions between {between} are left out by its alternatives, which a "
        "version specifier cannot express"
    )


def test_an_exception_of_one_alternative_is_an_error() -> None:
    with pytest.raises(
        ValueError, match=r"!=1\.5 is among alternatives, which a version specifier"
    ):
        poetry_specifier(">=1,!=1.5 || ^3")


VERSIONS = st.lists(st.integers(0, 4), min_size=1, max_size=3).map(
    lambda one: ".".join(map(str, one))
)
PARTS = st.one_of(
    st.builds("{}{}".format, st.sampled_from([">=", ">", "<", "<=", "=="]), VERSIONS),
    VERSIONS.map("=={}.*".format),
)
ALTERNATIVES = st.lists(st.lists(PARTS, max_size=2).map(",".join), min_size=1, max_size=4)


@given(alternatives=ALTERNATIVES, version=VERSIONS)
def test_the_same_final_versions_are_allowed(alternatives: list[str], version: str) -> None:
    possible = [one for one in alternatives if _allows_some(one)]
    if not possible:
        return
    try:
        found = united(possible)
    except ValueError:
        return
    allowed = any(SpecifierSet(one).contains(version) for one in possible)
    assert SpecifierSet(found).contains(version) == allowed


def _allows_some(alternative: str) -> bool:
    grid = (f"{a}.{b}.{c}" for a in range(6) for b in range(6) for c in range(6))
    return any(SpecifierSet(alternative).contains(Version(one)) for one in grid)
