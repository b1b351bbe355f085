"""The lines for a container: what they say, and what an execution takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.build_records import build_record
from planner.review.container_lines import (
    FORMATS,
    container_lines,
    shares_of_disk,
    shares_of_memory,
)
from planner.review.cost import Cost, PackageCost
from schemas.hints import WheelHints
from schemas.target import Target

MIB = 1 << 20
BIG = PackageCost(
    name=canonicalize_name("big"),
    version=Version("1"),
    filename="big-1-py3-none-any.whl",
    size=1,
    hints=WheelHints(unpacked_size=100 * MIB, files=1000, largest_file=100 * MIB),
)
COST = Cost(target=Target.named("3.11", "linux"), packages=(BIG,))


def lines(kind: str, *costs: Cost) -> list[str]:
    return list(container_lines(costs or (COST,), kind, "pylock.toml"))


def test_they_begin_with_what_they_are_made_of() -> None:
    assert lines("docker") == [
        "# pylock.toml for CPython 3.11.0 on manylinux_2_28_x86_64: 1 package",
        "# memory:   38.0 MiB  2 wheels at a time",
        "#            4.0 MiB  the overlay of the container",
        "#            6.0 MiB  a Python without byte code of its library, as official images have",
        "#           10.0 MiB  pages of Python, charged to the first container on a machine",
        "# disk:    100.0 MiB  1,000 files of 1 package",
        "#           10.0 MiB  ends of blocks, lists of files, the journal",
        "# What else runs in the container needs its own memory; on a tmpfs, disk is memory too.",
        "# Docker limits no disk: 112 MiB have to be free",
        "--memory 64m --memory-swap 64m",
    ]


@pytest.mark.parametrize("kind", FORMATS)
def test_each_is_enough_for_the_shares(kind: str) -> None:
    text = "\n".join(line for line in lines(kind) if not line.startswith("#"))
    assert "64" in text
    assert sum(share.size for share in shares_of_memory(COST)) <= 64 * MIB
    assert sum(share.size for share in shares_of_disk(COST)) == COST.disk <= 112 * MIB


def test_those_of_kubernetes_are_the_resources_of_a_container() -> None:
    body = [line for line in lines("kubernetes") if not line.startswith("#")]
    assert body == [
        "resources:",
        "  requests:", "    memory: 64Mi", "    ephemeral-storage: 112Mi",
        "  limits:", "    memory: 64Mi", "    ephemeral-storage: 112Mi",
    ]  # fmt: skip


def test_the_target_that_containers_run_is_chosen() -> None:
    windows = replace(COST, target=Target.named("3.11", "windows"), packages=(BIG, BIG))
    assert lines("gitlab", windows, COST)[0].startswith(
        "# pylock.toml for CPython 3.11.0 on manylinux"
    )


def test_a_build_is_counted_if_the_lock_has_no_wheel() -> None:
    built = replace(BIG, filename=None, build=build_record(demand={1: 300 * MIB}))
    first, *_ = shares_of_memory(replace(COST, packages=(built,)))
    assert first.size > 300 * MIB
    assert first.reason == "the build of big 1, one at a time"


def test_sizes_that_are_not_recorded_are_said() -> None:
    unknown = replace(BIG, hints=None)
    assert "# The sizes of 1 package are not recorded: run lockstream enrich" in lines(
        "docker", replace(COST, packages=(unknown,))
    )


def test_a_package_of_which_nothing_is_known_is_named() -> None:
    """A folder in a lock of another tool has no version."""
    folder = replace(BIG, name=canonicalize_name("app"), version=None, filename=None, hints=None)
    told = lines("docker", replace(COST, packages=(BIG, folder)))
    assert "# app has to be built, and what that takes was never measured" in told
