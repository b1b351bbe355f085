"""One build of a source goes ahead; the others begin if its wheel does not suit them."""

from __future__ import annotations

from typing import Any

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.builds.claim import HOLD_SECONDS
from planner.builds.unit import BuildUnit
from planner.engines.relatives import Relatives

PURE = "demo-1.0-py3-none-any.whl"
NATIVE = "demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"


def family(**changes: Any) -> list[BuildUnit]:
    platforms = ("manylinux_2_28_x86_64", "windows", "macos")
    return [
        build_unit(platform=one, key=str(number) * 64, **changes)
        for number, one in enumerate(platforms)
    ]


def test_a_pure_wheel_ends_all() -> None:
    units = family()
    waiting = Relatives(units)
    assert waiting.first == units[:1]
    assert waiting.after(units[0], PURE) == []
    assert not waiting


def test_a_native_wheel_lets_the_others_begin() -> None:
    units = family()
    waiting = Relatives(units)
    assert waiting.after(units[0], NATIVE) == units[1:]
    assert not waiting


def test_a_failure_lets_the_others_begin() -> None:
    units = family()
    assert Relatives(units).after(units[0], None) == units[1:]


def test_nobody_waits_for_a_slow_build_for_long() -> None:
    units = family()
    waiting = Relatives(units)
    assert waiting.overdue(1e9) == [], "the first has not begun"
    waiting.begun(units[0], 5.0)
    assert waiting.overdue(5.0 + HOLD_SECONDS) == []
    assert waiting.overdue(6.0 + HOLD_SECONDS) == units[1:]
    assert not waiting


def test_what_is_known_to_make_native_wheels_does_not_wait() -> None:
    native, pure = (family(record=build_record(wheel=name)) for name in (NATIVE, PURE))
    assert Relatives(native).first == native
    assert Relatives(pure).first == pure[:1]


def test_other_sources_do_not_wait() -> None:
    units = [*family(), build_unit("other", family="0" * 64)]
    assert Relatives(units).first == [units[0], units[3]]
