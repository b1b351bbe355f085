"""Hints survive their table, and malformed values are not hints."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.hints import WheelHints, wheel_hints

HINTS = WheelHints(unpacked_size=10, files=2, largest_file=7)
TABLE = {"unpacked-size": 10, "files": 2, "largest-file": 7}


@pytest.mark.parametrize("streamable", [True, False])
def test_a_table_holds_all_of_it(streamable: bool) -> None:
    hints = WheelHints(unpacked_size=10, files=2, largest_file=7, streamable=streamable)
    assert WheelHints.from_table(hints.to_table()) == hints


def test_what_is_usual_is_not_written() -> None:
    assert HINTS.to_table() == TABLE


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(None, id="nothing"),
        pytest.param([TABLE], id="a list"),
        pytest.param({}, id="empty"),
        pytest.param({**TABLE, "files": "2"}, id="a text"),
        pytest.param({**TABLE, "files": True}, id="a truth value"),
        pytest.param({**TABLE, "files": 2.0}, id="a fraction"),
        pytest.param({**TABLE, "unpacked-size": -1}, id="negative"),
    ],
)
def test_a_malformed_hint_is_unknown_and_no_error(table: object) -> None:
    assert WheelHints.from_table(table) is None


def test_unknown_keys_are_ignored() -> None:
    assert WheelHints.from_table({**TABLE, "colour": "blue"}) == HINTS


def test_a_hint_is_found_by_its_file_name() -> None:
    tool = {"lockstream": {"wheels": {"demo.whl": TABLE}}, "other": {}}
    assert wheel_hints(tool, "demo.whl") == HINTS
    assert wheel_hints(tool, "other.whl") is None


@pytest.mark.parametrize(
    "tool",
    [None, {}, {"lockstream": 1}, {"lockstream": {"wheels": []}}, {"other": {"wheels": {}}}],
)
def test_a_tool_table_of_any_shape_is_bearable(tool: Any) -> None:
    assert wheel_hints(tool, "demo.whl") is None
