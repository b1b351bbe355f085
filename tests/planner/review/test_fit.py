"""A lock fits into a container, or each excess is named with the packages that cause it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.review.cost import Cost, PackageCost
from planner.review.fit import (
    PLACES,
    ContainerSize,
    DoesNotFit,
    SizesUnknown,
    check_fit,
    check_sizes,
)
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


def test_a_known_place_has_its_sizes_with_source_and_date() -> None:
    place = ContainerSize.parse("lambda")
    assert (place.memory, place.disk, place.unpacked) == (None, None, 262_144_000)
    assert place.source.startswith("lambda, https://docs.aws.amazon.com/")


@pytest.mark.parametrize("name", PLACES)
def test_each_known_place_says_where_its_sizes_are_from_and_when(name: str) -> None:
    place = PLACES[name]
    assert place.source.startswith("https://")
    assert date.fromisoformat(place.read) <= date.today()  # noqa: DTZ011  # a day in the past
    assert place.memory or place.unpacked


def test_an_unknown_place_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        ContainerSize.parse("lamda")
    assert str(caught.value) == "--fit 'lamda' is neither a size nor a known place"
    assert caught.value.hint.startswith("write it as 64MiB/2GiB-disk, or name one of lambda, ")


def test_too_many_unpacked_bytes_name_the_limit_and_the_largest_packages() -> None:
    huge = replace(BIG, hints=WheelHints(unpacked_size=262_144_001, files=1, largest_file=1))
    with pytest.raises(DoesNotFit) as caught:
        check_fit([replace(COST, packages=(huge,))], ContainerSize.parse("lambda"))
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("it does not fit lambda, https://docs.aws.amazon.com/")
    assert second.endswith(": 262,144,001 bytes unpacked, 262,144,000 are allowed")
    assert third == "    big 1: 250.0 MiB"
    assert caught.value.hint.startswith("drop what requires the largest packages")
    exact = replace(BIG, hints=WheelHints(unpacked_size=262_144_000, files=1, largest_file=1))
    check_fit([replace(COST, packages=(exact,))], ContainerSize.parse("lambda"))


def test_what_the_lock_does_not_record_is_not_taken_for_nothing() -> None:
    unsized = [replace(COST, packages=(BIG, replace(BIG, hints=None)))]
    for size in ("64MiB/9GiB-disk", "lambda"):
        container = ContainerSize.parse(size)
        check_sizes([COST], container, "pylock.toml")
        with pytest.raises(SizesUnknown, match="the unpacked sizes of 1 package") as caught:
            check_sizes(unsized, container, "theirs.toml")
        assert caught.value.hint == "run lockstream enrich theirs.toml, which records them"
    # Memory does not depend on the sizes.
    check_sizes(unsized, ContainerSize.parse("64MiB"), "pylock.toml")


def test_a_folder_without_a_version_is_named_alone() -> None:
    folder = replace(BIG, version=None)
    with pytest.raises(DoesNotFit, match=r"(?m)^    big: "):
        check_fit([replace(COST, packages=(folder,))], ContainerSize.parse("9MiB-disk"))
