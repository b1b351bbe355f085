"""What an engine is given holds no password and no line break, and only what Linux can build."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.pylock import Pylock
from packaging.version import Version

from helpers.build_units import build_unit
from planner.engines.engine_order import EngineOrder
from schemas.errors import UsageError

CONTENT = Pylock(lock_version=Version("1.0"), created_by="lockstream", packages=[])
UNITS = [build_unit(f"demo-{number}") for number in range(5)]


def order(**changes: Any) -> EngineOrder:
    fields = {"lock": "pylock.toml", "content": CONTENT, "store": "built"}
    return EngineOrder(**{**fields, **changes})


def test_parts_are_all_builds_together() -> None:
    parts = [order(part=f"{number}/3").work(UNITS).units for number in (1, 2, 3)]
    assert [len(part) for part in parts] == [2, 2, 1]
    assert sorted(unit.name for part in parts for unit in part) == [unit.name for unit in UNITS]


@pytest.mark.parametrize("part", ["", "0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", "1 / 2"])
def test_a_part_that_is_none_is_refused(part: str) -> None:
    with pytest.raises(UsageError, match="is not a part"):
        order(part=part).work(UNITS)


@pytest.mark.parametrize(
    "store",
    ["https://user:secret@files.example.com/built", "https://secret@files.example.com/built"],
)
def test_a_password_is_not_written_into_work_for_an_engine(store: str) -> None:
    with pytest.raises(UsageError, match="has credentials") as caught:
        order(store=store).work(UNITS)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("store", ["s3://bucket/built", "https://files.example.com/built?sig=x"])
def test_an_address_at_which_nothing_is_stored_is_refused(store: str) -> None:
    with pytest.raises(UsageError):
        order(store=store).work(UNITS)


@pytest.mark.parametrize("changes", [{"lock": "a\nb"}, {"store": "a\x1bb"}, {"store": "a\u2028b"}])
def test_a_path_that_would_end_a_line_of_a_script_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="line break or a control character"):
        order(**changes).work(UNITS)


def test_only_what_linux_builds_is_given_to_an_engine() -> None:
    foreign = [build_unit(platform="windows"), build_unit(platform="macos")]
    made = order()
    assert made.work([*UNITS, *foreign]).units == UNITS
    assert made.left_out([*UNITS, *foreign]) == foreign
