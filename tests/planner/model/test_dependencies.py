"""A requirement becomes the edges that the resolver works on."""

from __future__ import annotations

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.model.dependencies import Identifier, Scope, applies, expand, pinned_versions

NAME = canonicalize_name("demo")


def test_a_requirement_depends_on_each_extra_and_then_on_the_project() -> None:
    edges = list(expand(Requirement("Demo[B,a_c]>=1"), origin="requirements.in:1"))
    assert [str(one.identifier) for one in edges] == ["demo[a-c]", "demo[b]", "demo"]
    assert {one.specifier for one in edges} == {SpecifierSet(">=1")}
    assert {one.origin for one in edges} == {"requirements.in:1"}


def test_an_address_keeps_neither_its_password_nor_its_fragment() -> None:
    requirement = Requirement("demo @ https://u:s3cret@files.example/demo-1.0-py3-none-any.whl#x=1")
    (edge,) = expand(requirement)
    assert edge.url == "https://files.example/demo-1.0-py3-none-any.whl"
    assert "s3cret" not in edge.text


@pytest.mark.parametrize(
    ("marker", "extra", "expected"),
    [
        (None, None, True),
        ("sys_platform == 'linux'", None, True),
        ("sys_platform == 'win32'", None, False),
        ("extra == 'x'", None, False),
        ("extra == 'x'", "x", True),
    ],
)
def test_a_marker_decides_for_an_extra_or_for_the_project(
    marker: str | None, extra: str | None, expected: bool
) -> None:
    name = canonicalize_name(extra) if extra else None
    environment = {"sys_platform": "linux"}
    assert applies(Marker(marker) if marker else None, environment, name) is expected


def test_exact_versions_are_those_that_are_pinned() -> None:
    specifiers = map(SpecifierSet, ["==1.0", "===2.0", "==3.*", ">=4", "===not-a-version"])
    assert list(pinned_versions(specifiers)) == [Version("1.0"), Version("2.0")]


def test_a_scope_names_its_marker_variable() -> None:
    assert Scope("extra", NAME).variable == "extras"
    assert Scope("group", NAME).variable == "dependency_groups"
    assert str(Scope("group", NAME)) == "group demo"


def test_an_identifier_is_written_as_requirements_are() -> None:
    assert str(Identifier(NAME)) == "demo"
    assert str(Identifier(NAME, canonicalize_name("x"))) == "demo[x]"
