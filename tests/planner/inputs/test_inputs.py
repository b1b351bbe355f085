"""Inputs are values; two of them together are a third."""

from __future__ import annotations

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.settings import Settings


def requirement(text: str) -> InputRequirement:
    return InputRequirement(requirement=Requirement(text), origin="requirements.in:1")


def names(inputs: Inputs) -> list[str]:
    return [one.name for one in inputs.requirements]


def test_the_name_of_a_requirement_is_normalized() -> None:
    assert requirement("Demo_App").name == "demo-app"


def test_the_requirements_of_both_are_there_in_their_order() -> None:
    one = Inputs(requirements=(requirement("a"),), find_links=("x",), no_binary=(":all:",))
    other = Inputs(requirements=(requirement("b"),), find_links=("y",), no_binary=(":none:",))
    both = one.merge(other)
    assert names(both) == ["a", "b"]
    assert both.find_links == ("x", "y")
    assert both.no_binary == (":all:", ":none:")
    assert names(one) == ["a"]


def test_the_index_of_the_later_one_counts() -> None:
    one, other = Inputs(index_url="https://one.example"), Inputs(index_url="https://two.example")
    assert one.merge(other).index_url == "https://two.example"
    assert one.merge(Inputs()).index_url == "https://one.example"


def test_the_settings_of_the_first_project_count() -> None:
    one, other = (Inputs(settings=Settings(default_index=url)) for url in ("x", "y"))
    assert one.merge(other).settings.default_index == "x"
    assert Inputs().merge(other).settings.default_index == "y"


def test_both_limits_of_python_hold() -> None:
    one, other = (Inputs(requires_python=SpecifierSet(text)) for text in (">=3.9", "<3.13"))
    assert one.merge(other).requires_python == SpecifierSet(">=3.9,<3.13")
    assert Inputs().merge(Inputs()).requires_python is None


def test_an_option_of_either_counts_and_scopes_are_sorted() -> None:
    x, a = map(canonicalize_name, ("x", "a"))
    both = Inputs(extras=(x,), no_index=True).merge(Inputs(extras=(a, x), require_hashes=True))
    assert both.extras == ("a", "x")
    assert both.no_index
    assert both.require_hashes
    assert not both.prereleases
