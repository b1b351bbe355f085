"""A package of a subset has the files that it needs there, at their places."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from helpers.build_records import build_record
from helpers.locks import foreign_lock, listed
from planner import SubsetChoice, subset_lock
from planner.review.subset_block import Folders, NoFile

LINUX = SubsetChoice(python_versions=("3.12",), platforms=("linux",))
BOTH = SubsetChoice(python_versions=("3.12",), platforms=("linux", "windows"))
WHEELS = [
    listed(f"a-1.0-{tag}.whl")
    for tag in (
        "cp312-cp312-manylinux_2_17_x86_64", "cp312-cp312-manylinux_2_28_x86_64",
        "cp312-cp312-win_amd64", "py3-none-any", "cp311-cp311-manylinux_2_28_x86_64",
    )
]  # fmt: skip


def block(folder: Path, package: dict[str, Any], choice: SubsetChoice = LINUX) -> dict[str, Any]:
    """Return the only package of the subset, which is in another folder than its lock."""
    lock = foreign_lock(folder / "pylock.toml", [package])
    (folder / "images").mkdir(exist_ok=True)
    text = subset_lock(lock, str(folder / "images" / "pylock.part.toml"), choice).text
    [found] = tomllib.loads(text)["packages"]
    assert isinstance(found, dict)
    return found


def tags(found: dict[str, Any]) -> list[str]:
    return [one["url"].partition("-1.0-")[2] for one in found["wheels"]]


def test_of_its_wheels_stay_those_that_the_targets_take(tmp_path: Path) -> None:
    package = {"name": "a", "wheels": WHEELS, "sdist": listed("a-1.0.tar.gz")}
    found = block(tmp_path, package)
    assert tags(found) == ["cp312-cp312-manylinux_2_28_x86_64.whl"]
    assert "sdist" not in found
    assert len(tags(block(tmp_path, package, BOTH))) == 2


def test_the_highest_build_number_stays_as_an_execution_takes_it(tmp_path: Path) -> None:
    package = {
        "name": "a",
        "wheels": [listed(f"a-1.0-{build}py3-none-any.whl") for build in ("", "2-", "10-", "9-")],
    }
    assert tags(block(tmp_path, package)) == ["10-py3-none-any.whl"]


def test_without_targets_everything_stays(tmp_path: Path) -> None:
    package = {"name": "a", "wheels": WHEELS, "sdist": listed("a-1.0.tar.gz")}
    found = block(tmp_path, package, SubsetChoice())
    assert len(found["wheels"]) == len(WHEELS)
    assert "sdist" in found


def test_the_source_stays_for_a_target_that_has_no_wheel(tmp_path: Path) -> None:
    package = {"name": "a", "wheels": WHEELS[:2], "sdist": listed("a-1.0.tar.gz")}
    assert "sdist" in block(tmp_path, package, BOTH)


def test_a_target_without_any_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoFile, match="a: the lock has no file of it that suits CPython"):
        block(tmp_path, {"name": "a", "wheels": WHEELS[:2]}, BOTH)


@pytest.mark.parametrize(
    ("marker", "left"),
    [
        ("sys_platform == 'linux'", 'sys_platform == "linux"'),
        ("os_name == 'posix' and platform_machine != 'z'", 'sys_platform == "linux"'),
        ("python_version >= '3.9'", None),
        ("python_full_version >= '3.12.4'", 'python_full_version >= "3.12.4"'),
        ("python_full_version >= '3.12.4' and os_name == 'posix'",
         'sys_platform == "linux" and python_full_version >= "3.12.4"'),
        ("python_full_version >= '3.12.4' or os_name == 'posix'",
         'python_full_version >= "3.12.4" or os_name == "posix"'),
    ],
)  # fmt: skip
def test_a_marker_says_what_the_targets_leave_open(
    tmp_path: Path, marker: str, left: str | None
) -> None:
    assert block(tmp_path, {"name": "a", "marker": marker}, BOTH).get("marker") == left


@pytest.mark.parametrize(
    ("kind", "entry"),
    [
        ("wheels", [{"path": "wheels/a-1.0-py3-none-any.whl", "hashes": {"sha256": "0" * 64}}]),
        ("sdist", {"path": "wheels/a-1.0.tar.gz", "hashes": {"sha256": "0" * 64}}),
        ("archive", {"path": "wheels/a-1.0.zip", "hashes": {"sha256": "0" * 64}}),
        ("directory", {"path": "./libs/a", "editable": True}),
        ("vcs", {"type": "git", "path": "repositories/a", "commit-id": "1" * 40}),
    ],
)
def test_a_path_leads_to_the_same_place_from_another_folder(
    tmp_path: Path, kind: str, entry: Any
) -> None:
    found = block(tmp_path, {"name": "a", kind: entry})
    before, after = (one[0] if isinstance(one, list) else one for one in (entry, found[kind]))
    place = os.path.normpath(tmp_path / "images" / after["path"])
    assert place == os.path.normpath(tmp_path / before["path"])
    assert {**after, "path": ""} == {**before, "path": ""}
    assert not os.path.isabs(after["path"])


def test_a_path_stays_as_it_is_in_the_same_folder_and_if_it_is_absolute(tmp_path: Path) -> None:
    here = str(tmp_path)
    assert Folders(here, here).moved("./libs/../a") == "./libs/../a"
    assert Folders(here, "/elsewhere").moved("/srv/a.whl") == "/srv/a.whl"


def test_the_builds_of_the_wheels_that_stay_stay_recorded(tmp_path: Path) -> None:
    linux, windows = ("a-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
                      "a-1.0-cp312-cp312-win_amd64.whl")  # fmt: skip
    sizes = {"unpacked-size": 1, "files": 1, "largest-file": 1}
    records = {
        name: build_record(wheel=name, lock="pylock.build-a.toml").to_table()
        for name in (linux, windows)
    }
    package = {
        "name": "a",
        "wheels": [listed(linux), listed(windows)],
        "sdist": listed("a-1.0.tar.gz"),
        "tool": {
            "lockstream": {
                "wheels": {linux: sizes, windows: sizes}, "build": records, "hashes": "0123",
            },
            "other": {"kept": 1},
        },
    }  # fmt: skip
    found = block(tmp_path, package)
    ours = found["tool"]["lockstream"]
    assert ours["wheels"] == {linux: sizes}
    assert ours["build"] == {linux: {**records[linux], "lock": "../pylock.build-a.toml"}}
    assert ours.keys() == {"wheels", "build"}, "what decided the plan does not hold for a subset"
    assert found["tool"]["other"] == {"kept": 1}
    assert "sdist" in found, "the wheel was built of it"
