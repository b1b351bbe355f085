"""Targets are told apart by markers, or are one environment, or are refused."""

from __future__ import annotations

import pytest

from planner.model.environments import group_targets
from schemas.errors import UsageError
from schemas.target import Target


def named(*targets: tuple[str, str]) -> list[Target]:
    return [Target.named(*target) for target in targets]


def test_environments_are_exclusive() -> None:
    targets = named(
        ("3.11", "linux"), ("3.12", "linux"), ("3.11", "windows"), ("3.11", "macos"),
        ("3.11", "manylinux_2_28_aarch64"), ("pypy3.11", "linux"),
    )  # fmt: skip
    environments = group_targets(targets)
    assert [environment.targets for environment in environments] == [(one,) for one in targets]
    for one in environments:
        holding = [other for other in environments if one.marker.evaluate(dict(other.variables))]
        assert holding == [one]


def test_targets_that_no_marker_tells_apart_are_one_environment() -> None:
    targets = named(
        ("3.13", "manylinux_2_28_x86_64"), ("3.13", "musllinux_1_2_x86_64"), ("3.13t", "linux"),
        ("3.13", "manylinux_2_17_x86_64"),
    )  # fmt: skip
    (environment,) = group_targets(targets)
    assert environment.targets == tuple(targets)
    assert str(environment).startswith(
        "CPython 3.13.0 on manylinux_2_28_x86_64 and CPython 3.13.0 on musllinux_1_2_x86_64 and "
    )


def test_a_target_that_is_named_twice_is_one() -> None:
    (environment,) = group_targets(named(("3.12", "linux"), ("3.12.0", "manylinux_2_28_x86_64")))
    assert len(environment.targets) == 1


def test_two_releases_of_one_minor_version_cannot_share_a_lock() -> None:
    with pytest.raises(UsageError, match=r"cannot tell CPython 3\.12\.0 on .* from CPython 3\.12"):
        group_targets(named(("3.12", "linux"), ("3.12.4", "linux")))
