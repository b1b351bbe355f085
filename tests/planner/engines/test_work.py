"""All engines see the same requests and the same command."""

from __future__ import annotations

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.engines.work import Work, machine_of, mebibytes

MEASURED = build_unit(record=build_record(demand={1: 100 << 20}, files=40 << 20))


def test_a_request_is_what_was_measured_and_a_margin() -> None:
    work = Work(units=[MEASURED], lock="pylock.toml", store="built")
    assert mebibytes(work.request(MEASURED)) == 137
    assert mebibytes(work.limit(MEASURED)) == 177


def test_no_request_is_smaller_than_the_least() -> None:
    work = Work(units=[MEASURED], lock="pylock.toml", store="built", least=1 << 30)
    assert work.request(MEASURED) == work.limit(MEASURED) == 1 << 30


def test_the_command_names_package_lock_target_and_store() -> None:
    work = Work(units=[MEASURED], lock="locks/pylock.toml", store="/shared/built")
    assert work.command(MEASURED) == [
        "lockstream", "build", "demo==1.0", "locks/pylock.toml",
        "--target", "cp312-manylinux_2_28_x86_64", "--into", "/shared/built",
    ]  # fmt: skip


def test_mebibytes_are_rounded_up() -> None:
    assert [mebibytes(size) for size in (1, 1 << 20, (1 << 20) + 1)] == [1, 1, 2]


def test_a_lock_whose_name_begins_with_a_dash_is_not_an_option() -> None:
    work = Work(units=[MEASURED], lock="-x/pylock.toml", store="built")
    assert work.command(MEASURED)[3] == "./-x/pylock.toml"


def test_the_machine_is_named_as_python_names_it() -> None:
    assert machine_of(build_unit(platform="musllinux_1_2_aarch64")) == "aarch64"


def test_targets_that_the_lock_does_not_record_are_named() -> None:
    work = Work(units=[MEASURED], lock="pylock.toml", store="built", names_targets=True)
    assert work.command(MEASURED)[4:8] == [
        "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64",
    ]  # fmt: skip
