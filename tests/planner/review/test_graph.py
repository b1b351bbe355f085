"""A lock is followed from its roots, as one environment installs it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from packaging.markers import Marker
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.model.dependencies import Dependency, Identifier, Scope, expand
from planner.review.graph import Graph, RequirementsUnknown
from schemas.target import Target

LINUX = Target.named("3.11", "linux").environment


def package(
    name: str, requires: Sequence[str] | None = (), marker: str | None = None, version: str = "1"
) -> Package:
    url = f"https://files.example.com/{name}-{version}-py3-none-any.whl"
    return Package(
        name=canonicalize_name(name),
        version=Version(version),
        marker=Marker(marker) if marker else None,
        wheels=[PackageWheel(url=url, hashes={"sha256": "a" * 64})],
        tool=None if requires is None else {"lockstream": {"requires": list(requires)}},
    )


def graph(*packages: Package, scopes: Sequence[Scope] = ()) -> Graph:
    lock = Pylock(lock_version=Version("1.0"), created_by="test", packages=list(packages))
    return Graph(lock, LINUX, scopes)


def roots(*lines: str) -> list[Dependency]:
    return [one for line in lines for one in expand(Requirement(line), origin="r.in:1")]


def reached(found: Graph, *lines: str) -> list[str]:
    return [str(identifier) for identifier in found.reach(roots(*lines))]


def test_packages_are_reached_through_their_requirements() -> None:
    found = graph(package("a", ["b>=1"]), package("b", ["c"]), package("c"), package("d"))
    assert reached(found, "a") == ["a", "b", "c"]


def test_an_extra_adds_its_own_requirements() -> None:
    found = graph(package("a", ["b; extra == 'x'"]), package("b"))
    assert reached(found, "a") == ["a"]
    assert reached(found, "a[x]") == ["a[x]", "a", "b"]


def test_markers_hold_in_the_environment_alone() -> None:
    found = graph(package("a", ["b; sys_platform == 'win32'"]), package("b"))
    assert reached(found, "a") == ["a"]


def test_a_package_is_there_if_its_marker_holds() -> None:
    extra = package("a", marker="'x' in extras")
    assert "a" not in graph(extra).packages
    assert "a" in graph(extra, scopes=[Scope("extra", canonicalize_name("x"))]).packages


def test_a_circle_ends() -> None:
    assert reached(graph(package("a", ["b"]), package("b", ["a"])), "a") == ["a", "b"]


def test_two_packages_of_one_name_are_noticed() -> None:
    assert [str(one.version) for one in graph(package("a"), package("a", version="2")).doubled] == [
        "2"
    ]


def test_every_edge_says_where_it_comes_from() -> None:
    edges = graph(package("a", ["b>=1"]), package("b")).reach(roots("a"))
    assert [str(edge) for edge in edges[Identifier(canonicalize_name("b"))]] == [
        "a 1 requires b>=1"
    ]
    assert [str(edge) for edge in edges[Identifier(canonicalize_name("a"))]] == [
        "r.in:1 requires a"
    ]


@pytest.mark.parametrize("requires", [None, ["this is not a requirement"]])
def test_requirements_that_are_not_recorded_are_an_error(requires: list[str] | None) -> None:
    with pytest.raises(RequirementsUnknown, match="does not record the requirements of a"):
        reached(graph(package("a", requires)), "a")
