"""The markers of a lock say the same, however they are evaluated."""

from __future__ import annotations

from itertools import combinations

import pytest
from packaging.markers import Marker
from packaging.pylock import Package, PackageWheel
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.model.dependencies import scopes_of
from planner.review.verdicts import Verdicts
from schemas.target import Target

LINUX = Target.named("3.11", "linux").environment


def packages(**markers: str) -> list[Package]:
    """Packages with these markers."""
    return [
        Package(
            name=canonicalize_name(name),
            version=Version("1"),
            marker=Marker(marker),
            wheels=[
                PackageWheel(
                    url=f"https://files.example.com/{name}-1-py3-none-any.whl",
                    hashes={"sha256": "a" * 64},
                )
            ],
        )
        for name, marker in markers.items()
    ]


MARKERS = (
    "'a' in extras",
    "'A_b' in extras or 'a' in dependency_groups",
    "'c.D' in dependency_groups or 'a-b' in extras",
    "'a' not in extras",
    "'a' in extras and 'a' in dependency_groups",
    "('a' in extras or 'a-b' in extras) and sys_platform == 'linux'",
    "'a' in extras and sys_platform == 'win32' or 'c-d' in dependency_groups",
    "sys_platform == 'linux'",
)


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_says_the_same_however_often_it_is_asked(marker: str) -> None:
    scopes = scopes_of(("a", "A.b"), ("a", "c-d"))
    verdicts = Verdicts(packages(x=marker), LINUX)
    for count in range(len(scopes) + 1):
        for chosen in combinations(scopes, count):
            variables = {
                "extras": frozenset(one.name for one in chosen if one.kind == "extra"),
                "dependency_groups": frozenset(one.name for one in chosen if one.kind == "group"),
            }
            expected = Marker(marker).evaluate({**LINUX, **variables}, context="lock_file")
            for _ in range(2):
                assert bool([*verdicts.installed(chosen)]) is expected, chosen


def test_many_extras_take_no_more_evaluations_than_markers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def counted(marker: Marker, *_: object, **__: object) -> bool:
        asked.append(str(marker))
        return True

    monkeypatch.setattr("planner.review.verdicts.holds", counted)
    either = " or ".join(f"'e{number}' in extras" for number in range(50))
    verdicts = Verdicts(packages(x=either, y="sys_platform == 'linux'"), LINUX)
    for number in range(50):
        found = verdicts.installed(scopes_of([f"e{number}"], None))
        assert [one.name for one in found] == ["x", "y"]
    assert asked == ['sys_platform == "linux"']
