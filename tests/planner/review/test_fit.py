"""A lock fits into a container, or each excess is named with the packages that cause it."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.review.cost import Cost, PackageCost
from planner.review.fit import ContainerSize, DoesNotFit, check_fit
from schemas.errors import UsageError
from schemas.hints import WheelHints
from schemas.target import Target

MIB = 1 << 20
BIG = PackageCost(
    name=canonicalize_name("big"),
    version=Version("1"),
    filename="big-1-py3-none-any.whl",
    size=1,
    hints=WheelHints(unpacked_size=100 * MIB, files=1, largest_file=100 * MIB),
)
COST = Cost(target=Target.named("3.11", "linux"), packages=(BIG,))


@pytest.mark.parametrize(
    ("text", "memory", "disk"),
    [("64MiB", 64 * MIB, None), ("2GiB-disk", None, 2048 * MIB), ("1MiB/2MiB-disk", MIB, 2 * MIB)],
)
def test_a_size_names_memory_disk_or_both(text: str, memory: int | None, disk: int | None) -> None:
    assert ContainerSize.parse(text) == ContainerSize(memory, disk)


@pytest.mark.parametrize("text", ["1MiB/2MiB", "1MiB-disk/2MiB-disk"])
def test_one_quantity_is_named_once(text: str) -> None:
    with pytest.raises(UsageError, match="names one quantity twice"):
        ContainerSize.parse(text)


def test_what_fits_is_silent() -> None:
    check_fit([COST], ContainerSize(None, None))
    check_fit([COST], ContainerSize(COST.memory, COST.disk))


def test_too_little_disk_names_the_largest_packages() -> None:
    with pytest.raises(DoesNotFit) as caught:
        check_fit([COST], ContainerSize(None, COST.disk - 1))
    assert "big 1: 100.0 MiB" in str(caught.value)
    assert caught.value.hint.startswith("give more disk")


def test_too_little_memory_has_no_cure_in_other_packages() -> None:
    with pytest.raises(DoesNotFit) as caught:
        check_fit([COST], ContainerSize(COST.memory - 1, None))
    assert "of memory are needed" in str(caught.value)
    assert caught.value.hint == "give more memory; no choice of packages makes an execution smaller"
