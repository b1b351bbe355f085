"""What is left of a marker is true exactly where the whole marker is, for what was chosen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from helpers.exports import lock_with, wheel
from planner.exports.selection import with_scopes

ATOMS = (
    '"a" in extras',
    '"b" not in extras',
    '"g" in dependency_groups',
    '"h" not in dependency_groups',
    'os_name == "nt"',
    'os_name != "nt"',
    'python_version < "3.12"',
    'sys_platform in "linux, win32"',
)

markers = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.builds(
        lambda parts, word: "(" + f" {word} ".join(parts) + ")",
        st.lists(inner, min_size=1, max_size=3),
        st.sampled_from(["and", "or"]),
    ),
    max_leaves=12,
)
scopes = st.builds(
    lambda extras, groups: {"extras": extras, "dependency_groups": groups},
    st.frozensets(st.sampled_from("ab")),
    st.frozensets(st.sampled_from("gh")),
)
machines = st.fixed_dictionaries(
    {
        "os_name": st.sampled_from(["nt", "posix"]),
        "python_version": st.sampled_from(["3.11", "3.12"]),
        "sys_platform": st.sampled_from(["linux", "win32", "darwin"]),
    }
)


@given(markers, scopes, machines)
def test_the_rest_of_a_marker_holds_where_the_marker_does(
    text: str, chosen: dict[str, frozenset[str]], machine: dict[str, str]
) -> None:
    (package,) = lock_with(wheel("app", marker=text)).packages
    whole = Marker(text).evaluate({**machine, **chosen}, context="lock_file")
    rest = with_scopes(package, chosen)
    # As an installer that knows neither extras nor groups evaluates it.
    assert whole == (rest.evaluate({**machine}) if isinstance(rest, Marker) else rest)
