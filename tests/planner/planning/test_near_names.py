"""Near names are those of likely mistakes, and few enough to ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from planner.planning.near_names import MAX_SLIPS, nearest, popular_names, slips


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("reqeusts", "requests"), ("requestss", "requests"), ("pilow", "pillow"),
        ("sci-kit-learn", "scikit-learn"), ("typingextensions", "typing-extensions"),
        ("yaml", "pyyaml"), ("dateutil", "python-dateutil"), ("python-requests", "requests"),
    ],
)  # fmt: skip
def test_slips_are_undone(slip: str, meant: str) -> None:
    found = slips(canonicalize_name(slip))
    assert meant in found
    assert slip not in found
    assert len(found) <= MAX_SLIPS


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("djago", "django"), ("djamgo", "django"), ("dajngo", "django"), ("djanggo", "django"),
        ("flsk", "flask"), ("tensroflo", "tensorflow"), ("sphnix", "sphinx"),
        ("beautifulsoup", "beautifulsoup4"), ("scikitlearn", "scikit-learn"),
        ("matplotlob", "matplotlib"), ("pandsa", "pandas"), ("postgress-kit", None),
        ("np", None), ("pip", None), ("django", None), ("my-own-service", None),
    ],
)  # fmt: skip
def test_the_nearest_popular_name_is_found(name: str, meant: str | None) -> None:
    found = nearest(canonicalize_name(name), popular_names())
    assert found[:1] == ([meant] if meant else [])


LETTERS = st.text("abc", max_size=5)


@given(LETTERS, LETTERS, st.sampled_from("abcd"), LETTERS)
def test_one_change_is_found_wherever_it_is(start: str, end: str, letter: str, more: str) -> None:
    name = canonicalize_name(f"zz{start}q{end}zz")
    for changed in (
        f"zz{start}{end}zz", f"zz{start}{letter}{end}zz", f"zz{start}q{letter}{end}zz",
    ):  # fmt: skip
        assert nearest(name, [canonicalize_name(changed)]) == [changed]
    far = canonicalize_name(f"{more}yyy{start}q{end}")
    assert nearest(name, [far]) == []


def test_popular_names_are_names_in_order() -> None:
    names = popular_names()
    assert len(names) == 3000
    assert list(names) == sorted(map(canonicalize_name, names))
