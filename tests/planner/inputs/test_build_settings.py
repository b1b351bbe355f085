"""Flags of builds in ``[tool.lockstream.build]`` are read strictly and written as they were."""

from __future__ import annotations

from typing import Any

import pytest

from planner.inputs.build_settings import BuildSetting, read_build_settings

TABLE = {
    "config-settings": {"--build-option": ["--verbose"]},
    "environment": {"CFLAGS": "-O1"},
    "requires": ["numpy<3", "torch"],
    "jobs": 2,
    "defaults": False,
}


def test_a_table_is_read_and_written_alike() -> None:
    setting = read_build_settings({"demo": TABLE})["demo"]
    assert setting.jobs == 2
    assert setting.defaults is False
    assert setting.to_table() == TABLE
    assert read_build_settings({"demo": {}})["demo"].to_table() == {}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (1, "is not a table"),
        (
            {"demo": 1},
            "demo is not a table of config-settings, defaults, environment, jobs, requires",
        ),
        ({"demo": {"flags": 1}}, "demo is not a table of"),
        ({"demo": {"environment": {"A": 1}}}, "demo.environment is not a table of strings"),
        ({"demo": {"config-settings": {"a": 1}}}, "demo.config-settings is not a table of"),
        ({"demo": {"requires": "torch"}}, "demo.requires is not a list of strings"),
        ({"demo": {"requires": [1]}}, "demo.requires is not a list of strings"),
        ({"demo": {"requires": ["a b"]}}, "demo.requires has 'a b', which is not a requirement: "),
        (
            {"demo": {"requires": ["a @ https://u:p@x.example/a.whl"]}},
            "demo.requires has an address with a login for a",
        ),
        ({"demo": {"jobs": 0}}, "demo.jobs is not a number above 0"),
        ({"demo": {"jobs": True}}, "demo.jobs is not a number above 0"),
        ({"demo": {"defaults": "no"}}, "demo.defaults is neither true nor false"),
    ],
)
def test_a_malformed_value_is_named(value: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_build_settings(value)


def test_a_config_setting_given_again_becomes_a_list() -> None:
    setting = BuildSetting().with_setting("a", "1").with_setting("b", "x").with_setting("a", "2")
    assert setting.config_settings == {"a": ["1", "2"], "b": "x"}
    assert setting.texts() == {"a": "1 2", "b": "x"}


def test_a_variable_given_again_is_replaced() -> None:
    setting = BuildSetting().with_variable("A", "1").with_variable("A", "2")
    assert setting.environment == {"A": "2"}
