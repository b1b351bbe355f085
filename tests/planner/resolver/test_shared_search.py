"""An environment takes the answer of another one exactly if its own search would find the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.utils import NormalizedName
from packaging.version import Version

from helpers.releases import World
from planner.model.dependencies import Dependency
from planner.model.policy import Preferences
from planner.resolver.search import Contradiction
from planner.resolver.shared_search import EnvironmentSearch

Releases = Mapping[str, Sequence[str]]

NAMES = "abcd"
VERSIONS = ("1", "2", "3")
REQUIREMENTS = st.tuples(
    st.sampled_from([*NAMES, "b[x]"]), st.sampled_from(["", "<2", ">=2", "==1", "==3", "===2"])
).map("".join)
ROOTS = st.lists(st.sampled_from([*NAMES, "a[x]", "a<3", "b>=2", "c===1"]), min_size=1, max_size=3)
PREFERENCES = st.dictionaries(
    st.sampled_from(NAMES), st.sampled_from(VERSIONS).map(lambda one: (Version(one),))
)


def search_in(world: World, *requirements: str) -> EnvironmentSearch:
    roots = world.roots(*requirements)
    known: dict[NormalizedName, list[Dependency]] = {}
    for root in roots:
        known.setdefault(root.identifier.name, []).append(root)
    return EnvironmentSearch(world.finder, world.reader, roots, known)


def solve(
    search: EnvironmentSearch, preferred: Preferences, others: Sequence[EnvironmentSearch] = ()
) -> dict[str, str] | None:
    try:
        found = search.solve(preferred, others)
    except Contradiction:
        return None
    return {str(identifier): str(one.version) for identifier, one in found.items()}


RELEASES: Releases = {
    "app 1.0": [], "app 2.0": ["base<2"], "app[x] 2.0": ["other"], "base 1.0": [],
    "base 2.0": [], "other 1.0": [],
}  # fmt: skip


def test_environments_that_agree_share_one_search() -> None:
    worlds = [World(RELEASES) for _ in range(3)]
    searches = [search_in(world, "app[x]") for world in worlds]
    found = [solve(one, {}, searches[:number]) for number, one in enumerate(searches)]
    assert found[0] == {"app[x]": "2.0", "app": "2.0", "base": "1.0", "other": "1.0"}
    assert found == [found[0]] * 3
    assert [one.search for one in searches] == [searches[0].own] * 3
    assert [bool(one.own.tried) for one in searches] == [True, False, False]
    # Each has its own wheels.
    assert [world.read for world in worlds] == [worlds[0].read] * 3


def test_what_was_not_asked_may_differ() -> None:
    first = search_in(World(RELEASES), "app")
    second = search_in(World({**RELEASES, "app 1.0": ["missing"]}, "other 1.0"), "app")
    solve(first, {})
    assert solve(second, {}, [first]) == {"app": "2.0", "base": "1.0"}
    assert second.search is first.own


def test_other_requirements_wheels_or_preferences_are_searched_for() -> None:
    first = search_in(World(RELEASES), "app")
    solve(first, {})
    for world in (
        World({**RELEASES, "app 2.0": ["base"]}),
        World(RELEASES, "app 2.0"),
        World({**RELEASES, "app 3.0": []}),
    ):
        second = search_in(world, "app")
        solve(second, {}, [first])
        assert second.search is second.own
    second = search_in(World(RELEASES), "app")
    kept = {first.roots[0].identifier.name: (Version("1.0"),)}
    assert solve(second, kept, [first]) == {"app": "1.0"}


def test_a_search_that_found_nothing_has_no_answer_to_take() -> None:
    first, second = (search_in(World({"app 1.0": ["missing"]}), "app") for _ in range(2))
    assert solve(first, {}) is None
    assert solve(second, {}, [first]) is None
    assert second.search is second.own


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[str]]:
    releases = {
        f"{name} {version}": draw(st.lists(REQUIREMENTS, max_size=2))
        for name in NAMES
        for version in draw(st.lists(st.sampled_from(VERSIONS), unique=True))
    }
    for release in [one for one in releases if one[0] in "ab"]:
        releases[f"{release[0]}[x] {release[2]}"] = draw(st.lists(REQUIREMENTS, max_size=1))
    return releases


@st.composite
def neighbours(draw: st.DrawFn) -> list[tuple[dict[str, list[str]], list[str]]]:
    """Return some worlds that differ in few releases, with what is unusable in each."""
    first = draw(worlds())
    found = [(first, draw(st.lists(st.sampled_from(sorted(first) or ["none 1"]), max_size=1)))]
    for _ in range(2):
        changed = {release: list(lines) for release, lines in first.items()}
        for release in draw(st.lists(st.sampled_from(sorted(first) or ["none 1"]), max_size=1)):
            changed[release] = draw(st.lists(REQUIREMENTS, max_size=2))
        unusable = draw(st.sampled_from([found[0][1], []]))
        found.append((changed, unusable))
    return found


@given(neighbours(), ROOTS, st.lists(PREFERENCES, min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_an_answer_is_that_of_a_search_alone(
    places: list[tuple[dict[str, list[str]], list[str]]],
    roots: list[str],
    preferences: list[Preferences],
) -> None:
    """Also if it is repeated with other preferences, which go on from what was learned."""
    together = [search_in(World(releases, *unusable), *roots) for releases, unusable in places]
    alone = [search_in(World(releases, *unusable), *roots) for releases, unusable in places]
    for preferred in preferences:
        for number, (one, other) in enumerate(zip(together, alone, strict=True)):
            assert solve(one, preferred, together[:number]) == solve(other, preferred)


def test_a_search_of_its_own_goes_on_from_the_answers_that_were_taken() -> None:
    first, second = (search_in(World(RELEASES), "app") for _ in range(2))
    solve(first, {})
    solve(second, {}, [first])
    kept = {first.roots[0].identifier.name: (Version("1.0"),)}
    assert solve(second, kept, [first]) == {"app": "1.0"}
    # What it learned on the way to the first answer would lead a later search elsewhere.
    names = [str(identifier) for identifier, _ in second.own.tried]
    assert names == ["app", "base", "app"]
