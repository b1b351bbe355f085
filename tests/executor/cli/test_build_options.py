"""Which local projects are installed, and how wheels are built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from executor.api import Building
from executor.cli.build_options import BuildOptions
from executor.lock.local_project import LocalProject
from executor.lock.options import SelectOptions
from schemas.errors import UsageError


def options(**given: Any) -> BuildOptions:
    return BuildOptions(**{
        "build_network": False, "build_timeout": 5.0, "build_unmeasured": False,
        "build_constraints": (), "projects": (),
        "no_deps": False, "editable": False, **given,
    })  # fmt: skip


def test_builds_are_bounded_by_what_the_user_said() -> None:
    assert options(build_network=True).building() == Building(
        network=True, seconds=5.0, unmeasured=False
    )


def test_without_projects_nothing_changes() -> None:
    select = SelectOptions(build=True)
    assert options().with_projects("a.toml", select) == ("a.toml", select)


def test_projects_are_added_in_their_order() -> None:
    lock, select = options(projects=("b", "a"), editable=True).with_projects(
        "a.toml", SelectOptions()
    )
    assert lock == "a.toml"
    assert select.projects == (
        LocalProject(folder="b", editable=True),
        LocalProject(folder="a", editable=True),
    )
    assert not select.no_deps


def test_no_deps_takes_a_folder_in_the_place_of_the_lock(tmp_path: Path) -> None:
    lock, select = options(no_deps=True, projects=("b",)).with_projects(
        str(tmp_path), SelectOptions()
    )
    assert lock == "pylock.toml", "locks of builds are in the folder in which plan is run"
    assert [one.folder for one in select.projects] == [str(tmp_path), "b"]
    assert select.no_deps


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"no_deps": True}, "pylock.toml is not a folder"),
        ({"editable": True}, "--editable is for projects"),
    ],
)
def test_options_without_a_project_are_wrong_usage(given: dict[str, bool], problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        options(**given).with_projects("pylock.toml", SelectOptions())
    assert caught.value.hint
