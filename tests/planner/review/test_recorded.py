"""What a lock records of its own making is read back as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from packaging.pylock import Pylock
from packaging.version import Version

from planner.review.recorded import (
    recorded_files,
    recorded_inputs,
    recorded_places,
    recorded_sources,
    targets_of,
)
from schemas.errors import UsageError
from schemas.target import Target

LINUX = Target.named("3.11", "linux")


def lock(**table: object) -> Pylock:
    return Pylock(
        lock_version=Version("1.0"),
        created_by="lockstream",
        packages=[],
        tool={"lockstream": table} if table else None,
    )


def test_the_targets_are_those_named_else_those_of_the_lock() -> None:
    recorded = lock(targets=[LINUX.to_table()])
    assert targets_of(recorded) == (LINUX,)
    (named,) = targets_of(recorded, ["3.12"], ["windows"])
    assert (named.python_name, named.environment["sys_platform"]) == ("3.12", "win32")


def test_without_recorded_targets_the_running_interpreter_counts() -> None:
    (own,) = targets_of(lock())
    assert own.environment["os_name"] == os.name


def test_paths_start_at_the_folder_of_the_lock(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("app\n")
    found = recorded_sources(
        lock(inputs={"requirements": ["../requirements.in"]}), "ci/pylock.toml"
    )
    assert found.requirements == ("requirements.in",)
    path = str(tmp_path / "ci" / "pylock.toml")
    inputs = recorded_inputs(lock(inputs={"requirements": ["../requirements.in"]}), path)
    assert [one.name for one in inputs.requirements] == ["app"]


@pytest.mark.parametrize("table", [{}, {"inputs": "nowhere"}, {"inputs": {"extras": ["x"]}}])
def test_a_lock_without_inputs_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"^a/pylock\.toml does not record"):
        recorded_sources(lock(**table), "a/pylock.toml")


def test_the_lock_of_build_requirements_leads_to_that_of_the_package() -> None:
    """A plan onto it would replace it by the lock of the project in the working folder."""
    with pytest.raises(UsageError, match="is the lock of what a package is built with") as error:
        recorded_sources(lock(inputs={"requires": ["setuptools"]}), "pylock.build-a.toml")
    assert "-o" not in error.value.hint


def test_a_subset_leads_to_its_lock() -> None:
    table = {"of": "../pylock.toml"}
    with pytest.raises(UsageError, match=r"a/pylock\.toml is a subset of pylock\.toml") as error:
        recorded_sources(lock(subset=table), "a/pylock.toml")
    assert error.value.hint == "name pylock.toml instead"


def test_places_that_are_malformed_count_as_not_recorded() -> None:
    assert recorded_places(lock(policy={"indexes": ["../wheels", 1, "https://a.example"]})) == (
        "../wheels", "https://a.example",
    )  # fmt: skip
    for broken in ({}, {"policy": "x"}, {"policy": {"indexes": "x"}}):
        assert recorded_places(lock(**broken)) == ()


def test_the_files_of_a_plan_are_found_from_the_working_folder() -> None:
    inputs = {"projects": ["../app"], "requirements": ["a.txt"], "overrides": ["b.txt"]}
    assert recorded_files(lock(inputs=inputs), "ci/pylock.toml") == (
        "app", "app/pyproject.toml", "ci/a.txt", "ci/b.txt",
    )  # fmt: skip
    assert recorded_files(lock(), "pylock.toml") == ()
