"""Extras and groups become marker variables, or are unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.pylock import Pylock

from executor.lock.errors import UnknownName
from executor.lock.options import SelectOptions

LOCK = Pylock.from_dict(
    {
        "lock-version": "1.0",
        "created-by": "tests",
        "extras": ["cpu", "gpu"],
        "dependency-groups": ["Dev_Tools", "docs"],
        "default-groups": ["default"],
        "packages": [],
    }
)


def variables(**options: Any) -> tuple[set[str], set[str]]:
    found = SelectOptions(**options).variables(LOCK)
    return set(found["extras"]), set(found["dependency_groups"])


@pytest.mark.parametrize(
    ("options", "extras", "groups"),
    [
        pytest.param({}, set(), {"default"}, id="nothing"),
        pytest.param({"default_groups": False}, set(), set(), id="no default groups"),
        pytest.param({"extras": {"CPU"}}, {"cpu"}, {"default"}, id="normalized extra"),
        pytest.param({"all_extras": True}, {"cpu", "gpu"}, {"default"}, id="all extras"),
        pytest.param(
            {"groups": {"dev.tools"}}, set(), {"Dev_Tools", "default"}, id="spelled by the lock"
        ),
        pytest.param(
            {"all_groups": True, "default_groups": False},
            set(),
            {"Dev_Tools", "docs"},
            id="all groups",
        ),
    ],
)
def test_markers_see_what_the_user_chose(
    options: dict[str, Any], extras: set[str], groups: set[str]
) -> None:
    assert variables(**options) == (extras, groups)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"extras": {"tpu"}}, "the lock has no extra 'tpu'; it has cpu, gpu"),
        ({"groups": {"lint"}}, "the lock has no dependency group 'lint'; it has Dev_Tools, docs"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UnknownName) as caught:
        variables(**options)
    assert str(caught.value) == text
    assert caught.value.hint.startswith("name one of these, each with an option of its own")


def test_the_hint_for_a_subset_is_not_to_plan_again() -> None:
    header = replace(LOCK, tool={"lockstream": {"subset": {"of": "pylock.toml"}}})
    with pytest.raises(UnknownName) as caught:
        SelectOptions(groups=frozenset({"lint"})).variables(header)
    assert caught.value.hint == (
        "it is a subset of another lock: leave the option out, or make one with it"
    )
