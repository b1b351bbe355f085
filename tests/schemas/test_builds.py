"""Builds in the tables of a lock."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace

import pytest
import tomli_w

from schemas.builds import MARGIN, BuildFlags, BuildRecord, build_records, foreseen

RECORD = BuildRecord(
    key="0123",
    wheel="demo-1.0-cp311-cp311-linux_x86_64.whl",
    backend="setuptools.build_meta",
    flags=BuildFlags(
        config_settings={"--build-option": ["-v"], "x": "1"}, environment={"CFLAGS": "-g0"}, jobs=1
    ),
    lock="pylock.build-demo.toml",
    demand={1: 200 << 20, 2: 300 << 20},
    charged_peak=260 << 20,
    files=40 << 20,
    seconds=12.5,
    native=("demo/fast.so",),
    measured_on={"compiler": "gcc 12", "python": "3.11"},
)


def test_a_record_survives_the_lock() -> None:
    text = tomli_w.dumps({"tool": {"lockstream": {"build": {RECORD.wheel: RECORD.to_table()}}}})
    assert build_records(tomllib.loads(text)["tool"]) == (RECORD,)


def test_what_is_unknown_is_left_out() -> None:
    plain = replace(RECORD, lock=None, charged_peak=None, files=0, native=())
    assert not {"lock", "charged-peak", "files", "native", "source"} & plain.to_table().keys()
    assert BuildRecord.from_table(plain.wheel, plain.to_table()) == plain


@pytest.mark.parametrize("table", [None, 1, {}])
def test_what_is_no_record_is_unknown(table: object) -> None:
    assert build_records({"lockstream": {"build": {"demo.whl": table}}}) == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("demand", 3),
        ("demand", {}),
        ("demand", {"1": 0}),
        ("demand", {"1": -5}),
        ("demand", {"0": 5}),
        ("demand", {"1": math.inf}),
        ("seconds", "x"),
        ("seconds", -1),
        ("seconds", math.inf),
        ("seconds", math.nan),
        ("files", -1),
        ("files", math.inf),
    ],
)
def test_what_is_malformed_is_unknown(key: str, value: object) -> None:
    table = {**RECORD.to_table(), key: value}
    assert build_records({"lockstream": {"build": {"demo.whl": table}}}) == ()


def test_a_tool_table_of_others_tells_nothing() -> None:
    assert build_records(None) == build_records({"lockstream": 1}) == ()
    assert build_records({"lockstream": {"build": 1}}) == ()


def test_malformed_flags_count_as_not_given() -> None:
    flags = BuildFlags.from_table({"jobs": -1, "environment": {"A": 1}, "config-settings": [1]})
    assert flags == BuildFlags()


def test_what_is_foreseen_is_more_where_the_toolchain_is_another() -> None:
    assert foreseen(100 << 20) == (105 << 20) + MARGIN
    assert foreseen(100 << 20, alike=False) == (125 << 20) + MARGIN
