"""What limits a part of the inputs is a marker, an extra or a group."""

from __future__ import annotations

import re
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from planner.inputs.conditions import read_condition
from planner.model.conditions import Condition
from planner.model.dependencies import Scope


def test_a_condition_is_read_from_its_keys() -> None:
    assert read_condition({"index": "x"}) == Condition()
    found = read_condition({"marker": "sys_platform == 'linux'", "extra": "My_Cpu"})
    extra = Scope("extra", canonicalize_name("my-cpu"))
    assert found == Condition(Marker('sys_platform == "linux"'), extra)
    assert read_condition({"group": "dev"}).scope == Scope("group", canonicalize_name("dev"))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"marker": 1}, "has a marker that is not a string"),
        ({"marker": "os == 'nt'"}, "has \"os == 'nt'\", which is not a marker of environments"),
        ({"marker": "extra == 'x'"},
         "has \"extra == 'x'\", which is not a marker of environments"),
        ({"marker": "python_version ~= '3'"},
         "has \"python_version ~= '3'\", which is not a marker of environments"),
        ({"extra": "x", "group": "y"}, "has both an extra and a group"),
        ({"extra": "a b"}, "has 'a b', which is not the name of an extra or a group"),
        ({"group": ["x"]}, "has ['x'], which is not the name of an extra or a group"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_named(table: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        read_condition(table)
