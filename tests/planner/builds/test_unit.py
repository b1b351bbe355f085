"""A lock alone says which builds it leaves to others, and gives each a key."""

from __future__ import annotations

from typing import Any

import pytest
import tomli_w

from helpers.build_records import build_record
from planner.builds.unit import MEMORY_CLASSES, BuildUnit, next_class, target_label, units_of
from planner.lock.reader import parse_lock
from schemas.errors import InvalidInput, UsageError
from schemas.target import Target

SDIST = {
    "url": "https://files.example/demo-1.0.tar.gz",
    "size": 1000,
    "hashes": {"sha256": "b" * 64},
}
WHEEL = {
    "url": "https://files.example/demo-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    "hashes": {"sha256": "a" * 64},
}
TARGETS = [
    {"python": "3.11", "platform": "manylinux_2_28_x86_64"},
    {"python": "3.12", "platform": "manylinux_2_28_x86_64"},
]


def units(
    package: dict[str, Any],
    build: dict[str, Any] | None = None,
    tool: dict[str, Any] | None = None,
) -> tuple[BuildUnit, ...]:
    """Return the builds of a lock of this one package, planned with these options of builds."""
    tool = tool or {"targets": TARGETS, "options": {"build": build or {}}}
    document = {
        "lock-version": "1.0",
        "created-by": "lockstream",
        "tool": {"lockstream": tool},
        "packages": [{"name": "demo", "version": "1.0", **package}],
    }
    return units_of(parse_lock(tomli_w.dumps(document)))


def keys(*found: tuple[BuildUnit, ...]) -> list[str]:
    return [unit.key for units in found for unit in units]


def labels(found: tuple[BuildUnit, ...]) -> list[str]:
    return [target_label(unit.target) for unit in found]


class TestUnits:
    def test_one_for_each_wheel_that_is_missing(self) -> None:
        assert labels(units({"sdist": SDIST})) == [
            "cp311-manylinux_2_28_x86_64",
            "cp312-manylinux_2_28_x86_64",
        ]

    def test_none_where_there_is_a_wheel(self) -> None:
        assert labels(units({"sdist": SDIST, "wheels": [WHEEL]})) == ["cp311-manylinux_2_28_x86_64"]

    def test_none_where_the_package_is_not_needed(self) -> None:
        package = {"sdist": SDIST, "marker": 'python_version == "3.12"'}
        assert labels(units(package)) == ["cp312-manylinux_2_28_x86_64"]

    @pytest.mark.parametrize("name", ["demo.whl", "demo-1.0-cp39-cp39-win_amd64.whl"])
    def test_none_of_an_archive_that_is_a_wheel(self, name: str) -> None:
        archive = {"url": f"https://files.example/{name}", "hashes": {"sha256": "a" * 64}}
        assert units({"archive": archive}) == ()

    def test_a_source_without_sha256_is_refused(self) -> None:
        with pytest.raises(InvalidInput, match="demo: the lock has no sha256 of the source"):
            units({"sdist": {**SDIST, "hashes": {"md5": "b" * 32}}})

    def test_a_repository_is_built_from_its_commit(self) -> None:
        vcs = {"type": "git", "url": "https://git.example/demo.git", "commit-id": "d" * 40}
        (unit, _) = units({"vcs": vcs, "version": "1.0"})
        assert unit.source.to_json() == {
            "kind": "vcs", "address": "https://git.example/demo.git", "commit": "d" * 40,
        }  # fmt: skip
        reference = unit.source.reference(".")
        assert (reference.kind, reference.commit) == ("vcs", "d" * 40)

    def test_a_repository_of_which_one_target_has_a_wheel_is_known_by_its_record(self) -> None:
        record = build_record(
            wheel="demo-1.0-cp312-cp312-linux_x86_64.whl",
            source="git+https://git.example/demo.git@main",
            commit="d" * 40,
        )
        wheel = {"path": f"wheelhouse/{record.wheel}", "hashes": {"sha256": "a" * 64}}
        tool = {"lockstream": {"build": {record.wheel: record.to_table()}}}
        (unit,) = units({"wheels": [wheel], "tool": tool})
        assert (unit.source.kind, unit.source.commit) == ("vcs", "d" * 40)

    def test_a_folder_is_an_error_because_other_machines_do_not_have_it(self) -> None:
        with pytest.raises(UsageError, match=r"demo is the folder \.\./demo"):
            units({"directory": {"path": "../demo"}})

    def test_a_lock_without_targets_has_to_be_given_some(self) -> None:
        lock = parse_lock('lock-version = "1.0"\ncreated-by = "x"\npackages = []\n')
        with pytest.raises(UsageError, match="does not record its targets"):
            units_of(lock)
        assert units_of(lock, (Target.named("3.12", "linux"),)) == ()


class TestMemory:
    def test_what_was_measured_is_requested_with_a_margin(self) -> None:
        record = build_record(demand={1: 200 << 20}, files=50 << 20)
        tool = {"lockstream": {"build": {record.wheel: record.to_table()}}}
        (unit, _) = units({"sdist": SDIST, "tool": tool})
        assert unit.request == (200 << 20) + (10 << 20) + (32 << 20)
        assert unit.limit == unit.request + (50 << 20)
        assert unit.to_json()["measured"] is True

    def test_what_was_never_measured_gets_a_class(self) -> None:
        (unit, _) = units({"sdist": SDIST})
        assert unit.request == unit.limit == MEMORY_CLASSES[0]
        assert unit.to_json()["measured"] is False

    def test_the_next_class_is_larger_until_there_is_none(self) -> None:
        assert next_class(0) == MEMORY_CLASSES[0]
        assert next_class(MEMORY_CLASSES[0]) == MEMORY_CLASSES[1]
        assert next_class(MEMORY_CLASSES[-1]) is None


class TestKeys:
    def test_they_are_the_same_each_time_and_differ_by_target(self) -> None:
        first = keys(units({"sdist": SDIST}))
        assert first == keys(units({"sdist": SDIST}))
        assert len(set(first)) == 2

    @pytest.mark.parametrize(
        "build",
        [
            {"environment": ["CFLAGS=-O1"]},
            {"environment": ["demo:CFLAGS=-O1"]},
            {"config-settings": ["demo:a=b"]},
            {"requires": ["demo:torch"]},
            {"defaults": False},
            {"measured-jobs": 2},
        ],
    )
    def test_they_change_with_what_decides_the_wheel(self, build: dict[str, Any]) -> None:
        sources = {"sdist": SDIST}
        assert not {*keys(units(sources))} & {*keys(units(sources, build))}

    def test_they_change_with_the_constraints_of_what_it_requires(self) -> None:
        def with_limit(*lines: str) -> list[str]:
            tool = {"targets": TARGETS, "policy": {"build": {"constraints": [*lines]}}}
            return keys(units({"sdist": SDIST}, tool=tool))

        assert with_limit("setuptools<80") == with_limit("setuptools<80")
        assert with_limit("setuptools<80") != with_limit()
        assert with_limit(f"setuptools==80 --hash=sha256:{'a' * 64}") != with_limit(
            "setuptools==80"
        )

    def test_not_with_flags_of_another_package(self) -> None:
        sources = {"sdist": SDIST}
        other = {"environment": ["other:CFLAGS=-O1"]}
        assert keys(units(sources)) == keys(units(sources, other))

    def test_not_with_the_address_of_the_same_source(self) -> None:
        moved = {**SDIST, "url": "https://mirror.example/demo-1.0.tar.gz"}
        assert keys(units({"sdist": SDIST})) == keys(units({"sdist": moved}))
