"""The search selects what goes together, and learns from what does not."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.version import Version

from helpers.releases import World
from planner.resolver import search
from planner.resolver.search import Contradiction, TooManySteps


def test_the_newest_versions_that_go_together_are_selected() -> None:
    world = World({"app 1.0": ["base"], "app 2.0": ["base<2"], "base 1.0": [], "base 2.0": []})
    assert world.solve("app") == {"app": "2.0", "base": "1.0"}


def test_what_is_required_first_gets_the_newest_version() -> None:
    world = World({
        "one 1.0": ["base<2"], "one 2.0": ["base>=2"],
        "two 1.0": ["base>=2"], "two 2.0": ["base<2"],
        "base 1.0": [], "base 2.0": [],
    })  # fmt: skip
    assert world.solve("one", "two") == {"one": "2.0", "two": "1.0", "base": "2.0"}
    assert world.solve("two", "one") == {"two": "2.0", "one": "1.0", "base": "1.0"}


def test_a_version_without_a_usable_wheel_is_passed_over() -> None:
    world = World({"app 1.0": [], "app 2.0": []}, "app 2.0")
    assert world.solve("app") == {"app": "1.0"}


def test_an_extra_has_the_version_of_its_project() -> None:
    world = World({
        "app 1.0": [], "app 2.0": [], "app[x] 1.0": ["base<2"], "app[x] 2.0": ["base>=3"],
        "base 1.0": [], "base 2.0": [],
    })  # fmt: skip
    assert world.solve("app[x]") == {"app": "1.0", "app[x]": "1.0", "base": "1.0"}


def test_an_extra_that_requires_another_requires_it_at_its_own_version() -> None:
    world = World({
        "app 1.0": [], "app 2.0": [], "app[all] 1.0": ["app[x]"], "app[all] 2.0": ["app[x]"],
        "app[x] 2.0": ["missing"],
    })  # fmt: skip
    assert world.solve("app[all]") == {"app": "1.0", "app[all]": "1.0", "app[x]": "1.0"}


def test_an_extra_that_requires_itself_is_no_requirement_on_others() -> None:
    world = World({
        "app 1.0": [], "app 2.0": ["base"], "app[x] 1.0": ["missing"],
        "app[x] 2.0": ["app[x]", "base<2"], "base 1.0": [],
        "base 2.0": [], "other 1.0": [], "other 2.0": ["app[x]", "base>=2"],
    })  # fmt: skip
    # The version 2.0 of other cannot be selected; what was read of it must not stay required.
    assert world.solve("other") == {"other": "1.0"}


def test_nightly_builds_that_pin_each_other_are_rejected_one_by_one() -> None:
    releases = {}
    for minor in range(150):
        releases[f"app 1.{minor}"] = [f"part==1.{minor}", f"other==1.{minor}"]
        releases |= {f"part 1.{minor}": ["missing"], f"other 1.{minor}": []}
    world = World(releases)
    with pytest.raises(Contradiction):
        world.solve("app")
    assert len(world.read) <= 450


def test_the_search_goes_back_to_the_cause_past_what_has_no_part_in_it() -> None:
    releases: dict[str, list[str]] = {"deep 1.0": ["base<2"], "deep 2.0": ["base>=2"]}
    releases |= {"base 1.0": [], "base 2.0": [], "last 1.0": ["base<2"]}
    for other in range(12):
        releases |= {f"other{other} {version}.0": [] for version in range(1, 6)}
    world = World(releases)
    others = [f"other{other}" for other in range(12)]
    found = world.solve("deep", *others, "last")
    assert found["deep"] == "1.0"
    assert {found[other] for other in others} == {"5.0"}
    # Chronological backtracking would read all 60 versions of the others.
    assert len(world.read) < 30


def test_versions_that_require_the_same_are_rejected_without_a_decision() -> None:
    releases: dict[str, list[str]] = {f"many 1.{minor}": ["base<2"] for minor in range(50)}
    releases |= {f"first 1.{minor}": ["base>=2"] for minor in range(50)}
    world = World({**releases, "base 1.0": [], "base 2.0": []})
    with pytest.raises(Contradiction):
        world.solve("first", "many")
    # Each pair of them would be 2,500.
    assert len(world.read) <= 102


def test_a_contradiction_is_derived_from_the_requirements_that_make_it() -> None:
    world = World({
        "app 1.0": ["base<2"], "other 1.0": ["base>=2"], "base 1.0": [], "base 2.0": [],
        "innocent 1.0": [],
    })  # fmt: skip
    with pytest.raises(Contradiction) as raised:
        world.solve("innocent", "app", "other")
    premises = {one.dependency.text for one in raised.value.proof.premises() if one.dependency}
    assert premises == {"app", "other", "base<2", "base>=2"}


def test_a_project_that_often_gives_way_is_decided_earlier() -> None:
    releases: dict[str, list[str]] = {}
    for minor in range(30):
        releases |= {f"part 1.{minor}": [], f"quick 1.{minor}": [f"part==1.{minor}"]}
    releases |= {f"slow 1.{minor}": [f"part==1.{minor}"] for minor in range(12)}
    found = World(releases).solve("quick", "slow")
    assert found == {"part": "1.11", "quick": "1.11", "slow": "1.11"}


def test_two_projects_do_not_take_the_lead_from_each_other_in_turns() -> None:
    releases: dict[str, list[str]] = {"storage 1.0": [], "storage 2.0": ["bridge"]}
    for minor in range(40):
        releases |= {f"client 1.{minor}": [f"core==1.{minor}"], f"core 1.{minor}": []}
    for minor in range(20):
        releases[f"bridge 1.{minor}"] = [f"core<1.{minor + 10}"]
    newest = {"storage": "2.0", "bridge": "1.19", "client": "1.28", "core": "1.28"}
    assert World(releases).solve("storage", "client") == newest


def test_what_requires_a_project_that_goes_on_giving_way_is_decided_earlier() -> None:
    releases: dict[str, list[str]] = {"clock 1.0": [], "clock 2.0": []}
    releases |= {"cluster 1.0": ["clock"], "cluster 2.0": ["clock>=2"]}
    for minor in range(200):
        releases |= {f"client 1.{minor}": [f"core==1.{minor}"], f"core 1.{minor}": ["clock<2"]}
    world = World(releases)
    newest = {"cluster": "1.0", "client": "1.199", "core": "1.199", "clock": "1.0"}
    assert world.solve("cluster", "client") == newest
    assert len(world.read) <= 30


def test_a_repeated_search_keeps_what_it_learned() -> None:
    releases: dict[str, list[str]] = {f"app 1.{minor}": ["part", "other"] for minor in range(20)}
    world = World({**releases, "app 0.9": [], "part 1.0": ["base<2"], "other 1.0": ["base>=2"],
                   "base 1.0": [], "base 2.0": []})  # fmt: skip
    again = world.search("app")
    first = again.solve(world.roots("app"))
    count = len(world.read)
    world.finder.prefer({next(iter(first)).name: [Version("1.19")]})
    assert again.solve(world.roots("app")) == first
    assert len(world.read) == count


def test_a_search_is_given_up_after_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MAX_STEPS", 3)
    world = World({f"one{n} 1.0": [] for n in range(5)})
    with pytest.raises(TooManySteps):
        world.solve(*(f"one{n}" for n in range(5)))


NAMES = "abcd"
VERSIONS = ("1", "2", "3")


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[str]]:
    requirement = st.tuples(
        st.sampled_from(NAMES), st.sampled_from(["", "<2", ">=2", "==1", "==3", "!=2"])
    ).map("".join)
    return {
        f"{name} {version}": draw(st.lists(requirement, max_size=3))
        for name in NAMES
        for version in draw(st.lists(st.sampled_from(VERSIONS), unique=True))
    }


def satisfies(releases: dict[str, list[str]], chosen: dict[str, str], roots: list[str]) -> bool:
    required = [
        *roots,
        *(text for name, version in chosen.items() for text in releases[f"{name} {version}"]),
    ]
    return all(
        (one := Requirement(text)).name in chosen and one.specifier.contains(chosen[one.name])
        for text in required
    )


@given(worlds(), st.lists(st.sampled_from([*NAMES, "a<3", "b>=2", "c!=2"]), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_an_answer_is_found_exactly_if_there_is_one(
    releases: dict[str, list[str]], roots: list[str]
) -> None:
    choices = [
        [None, *(version for version in VERSIONS if f"{name} {version}" in releases)]
        for name in NAMES
    ]
    exists = any(
        satisfies(releases, {n: v for n, v in zip(NAMES, one, strict=True) if v}, roots)
        for one in itertools.product(*choices)
    )
    try:
        chosen = World(releases).solve(*roots)
    except Contradiction:
        assert not exists
    else:
        assert satisfies(releases, chosen, roots)
