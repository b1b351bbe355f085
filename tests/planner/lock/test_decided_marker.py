"""A marker of which a part is decided holds exactly where the whole marker does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from planner.lock.decided_marker import decided

COMPARISONS = (
    '"one" in extras', '"two" not in extras', '"dev" in dependency_groups', 'os_name == "nt"',
    'python_version < "3.12"', 'sys_platform != "and or ("', '"64" in platform_machine',
)  # fmt: skip
PARTS = st.recursive(
    st.sampled_from(COMPARISONS),
    lambda inner: st.lists(inner, min_size=2, max_size=3).flatmap(
        lambda parts: st.sampled_from(["and", "or"]).map(
            lambda word: "(" + f" {word} ".join(parts) + ")"
        )
    ),
    max_leaves=8,
)


@given(
    text=PARTS,
    extras=st.frozensets(st.sampled_from(["one", "two"])),
    groups=st.frozensets(st.just("dev")),
    name=st.sampled_from(["nt", "posix"]),
    version=st.sampled_from(["3.11", "3.12"]),
)
def test_what_is_left_holds_where_the_whole_does(
    text: str, extras: frozenset[str], groups: frozenset[str], name: str, version: str
) -> None:
    chosen = {"extras": extras, "dependency_groups": groups}
    place = {"os_name": name, "python_version": version, "platform_machine": "x86_64"}
    marker = Marker(text)
    whole = marker.evaluate({**place, **chosen}, context="lock_file")

    def decide(comparison: Marker, variable: str) -> bool | None:
        if variable not in chosen:
            return None
        return comparison.evaluate({**place, **chosen}, context="lock_file")

    left = decided(marker, decide)
    if isinstance(left, bool):
        assert left == whole
    else:
        assert "extras" not in str(left)
        assert "dependency_groups" not in str(left)
        assert left.evaluate(dict(place), context="lock_file") == whole


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('"one" in extras and os_name == "nt"', 'os_name == "nt"'),
        ('"one" in extras or os_name == "nt"', "True"),
        ('"two" in extras and os_name == "nt"', "False"),
        (
            '("one" in extras and (os_name == "nt" or os_name == "x")) and sys_platform == "z"',
            '(os_name == "nt" or os_name == "x") and sys_platform == "z"',
        ),
        ('("two" in extras and os_name == "x") or os_name == "nt"', 'os_name == "nt"'),
        ('os_name == "nt" or "two" in extras and os_name == "x" or os_name == "nt"',
         'os_name == "nt"'),
    ],
)  # fmt: skip
def test_what_is_left_is_as_short_as_it_was(text: str, left: str) -> None:
    def decide(comparison: Marker, variable: str) -> bool | None:
        return '"one"' in str(comparison) if variable == "extras" else None

    assert str(decided(Marker(text), decide)) == left
