"""Which local projects are installed, and how wheels are built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lockstream
from executor.api import Building
from executor.cli.build_options import BuildOptions
from executor.lock.local_project import LocalProject
from executor.lock.options import SelectOptions
from helpers.wheels import lock_of
from schemas.errors import ExitCode, UsageError


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


@pytest.mark.parametrize(
    "words",
    [
        ["--build-constraint", "limits.txt"],
        ["--build-network"],
        ["--build-timeout", "60"],
        ["--build-unmeasured"],
    ],
)
def test_options_of_builds_are_wrong_usage_where_nothing_is_built(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The limits were neither read nor kept, and nothing said so."""
    lock = tmp_path / "pylock.toml"
    lock.write_text(lock_of([]))
    arguments = ["execute", str(lock), "--target", str(tmp_path / "t"), "--dry-run", *words]
    assert lockstream.main(arguments) == ExitCode.USAGE
    assert capsys.readouterr().err == (
        f"error: {words[0]} is for builds, and without --build nothing is built\n"
        f"hint: add --build, or leave {words[0]} out\n"
    )
    assert lockstream.main([*arguments, "--build"]) == 0


def test_a_variable_for_builds_does_not_stop_an_execution_without_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTREAM_BUILD_NETWORK", "1")
    lock = tmp_path / "pylock.toml"
    lock.write_text(lock_of([]))
    arguments = ["execute", str(lock), "--target", str(tmp_path / "t"), "--dry-run"]
    assert lockstream.main(arguments) == 0


def test_options_of_builds_are_for_projects_too() -> None:
    given = options(projects=("a",), named=("--build-network",))
    assert given.with_projects("a.toml", SelectOptions())[1].projects


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
