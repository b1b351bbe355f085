"""Wheels of one release with different requirements are reported, and the lock fits each."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.planning import plan_here
from helpers.wheels import build_wheel

LINUX, MAC = "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-macosx_14_0_arm64"
OLD_LINUX = "cp312-cp312-manylinux_2_17_x86_64"
PLATFORMS = ["manylinux_2_28_x86_64", "macosx_14_0_arm64"]


@pytest.fixture(autouse=True)
def _workplace(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("base"), build_wheel("gpu"))
    Path("requirements.in").write_text("app\n")


def plan(index: Index, platforms: list[str]) -> int:
    targets = ["--python-version", "3.12", *(w for one in platforms for w in ("--platform", one))]
    return plan_here(index, targets=targets)


def requires(name: str) -> list[str]:
    lock = tomllib.loads(Path("pylock.toml").read_text())
    (package,) = (one for one in lock["packages"] if one["name"] == name)
    told: list[str] = package["tool"]["lockstream"]["requires"]
    return told


def test_what_only_one_wheel_asks_for_is_told_and_needed_there_alone(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", tag=LINUX, requires=["base", "gpu>=1"], requires_python=">=3.8"))
    index.add(build_wheel("app", tag=MAC, requires=["base"]))
    assert plan(index, PLATFORMS) == 0
    assert capsys.readouterr().err == (
        "warning: wheels of one release require different things: "
        f"only app-1.0-{LINUX}.whl requires Python >=3.8, gpu>=1\n"
    )
    assert requires("app") == ["base", 'gpu>=1; sys_platform == "linux"']
    assert lockstream.main(["check"]) == 0


def test_conditions_of_its_own_stay(index: Index) -> None:
    mine = "gpu; python_version < '3.13' or python_version > '3.14'"
    index.add(build_wheel("app", tag=LINUX, requires=["base"]))
    index.add(build_wheel("app", tag=MAC, requires=["base", mine]))
    assert plan(index, PLATFORMS) == 0
    assert requires("app")[1] == (
        'gpu; (python_version < "3.13" or python_version > "3.14") and sys_platform == "darwin"'
    )
    assert lockstream.main(["check"]) == 0


def test_targets_that_no_marker_tells_apart_get_what_either_wheel_asks_for(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", tag=LINUX, requires=["base"]))
    index.add(build_wheel("app", tag=OLD_LINUX, requires=["gpu"]))
    assert plan(index, ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64"]) == 0
    assert capsys.readouterr().err == (
        "warning: wheels of one release require different things: "
        f"only app-1.0-{OLD_LINUX}.whl requires gpu; only app-1.0-{LINUX}.whl requires base\n"
    )
    assert requires("app") == ["base", "gpu"]
    assert lockstream.main(["check"]) == 0


def test_wheels_that_nobody_chose_do_not_matter(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", tag=LINUX, requires=["base"]))
    index.add(build_wheel("app", tag=MAC, requires=["gpu"]))
    assert plan(index, PLATFORMS[:1]) == 0
    assert capsys.readouterr().err == ""


def test_equal_requirements_in_another_order_are_equal(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", tag=LINUX, requires=["base", "gpu"]))
    index.add(build_wheel("app", tag=MAC, requires=["gpu", "base"]))
    assert plan(index, PLATFORMS) == 0
    assert capsys.readouterr().err == ""
    assert requires("app") == ["base", "gpu"]
