"""The targets are those of the strongest of many sources, which says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from planner.inputs.inputs import Inputs
from planner.inputs.settings import Settings
from planner.inputs.targets import (
    UNIVERSAL_PLATFORMS,
    TargetRequest,
    choose_targets,
    targets_for,
)
from schemas.errors import UsageError
from schemas.target import Target

WINDOWS = Target.named("3.11", "windows")
LINUX = Target.named("3.12", "linux")
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_each_python_is_planned_for_each_platform() -> None:
    targets = choose_targets(("3.11", "3.12"), ("linux", "windows"))
    assert [
        (one.environment["python_version"], one.environment["sys_platform"]) for one in targets
    ] == [("3.11", "linux"), ("3.11", "win32"), ("3.12", "linux"), ("3.12", "win32")]


def test_this_interpreter_supplies_what_is_not_named() -> None:
    (own,) = choose_targets()
    assert own.environment["python_version"] == HERE
    assert not own.platform.startswith("linux_")
    (other,) = choose_targets((), ("windows",))
    assert other.environment["python_version"] == HERE
    (older,) = choose_targets(("3.11",))
    assert older.environment["sys_platform"] == sys.platform


def test_an_unknown_platform_is_refused() -> None:
    with pytest.raises(UsageError):
        choose_targets((), ("amiga",))


def origin(inputs: Inputs, **request: object) -> tuple[str, list[str]]:
    """What decided, and the targets."""
    choice = targets_for(inputs, TargetRequest(**request))  # type: ignore[arg-type]  # of a test
    return choice.origin, [f"{one.python_name} {one.platform}" for one in choice.targets]


def requires(text: str) -> Inputs:
    return Inputs(requires_python=SpecifierSet(text))


def test_the_command_line_goes_before_everything(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("3.9")
    inputs = Inputs(settings=Settings(targets=(WINDOWS,)))
    found = origin(inputs, python_versions=("3.12",), platforms=("macos",), folder=str(tmp_path))
    assert found == ("the command line", ["3.12 macosx_13_0_arm64"])


def test_targets_of_an_earlier_command_line_go_before_the_settings() -> None:
    inputs = Inputs(settings=Settings(targets=(WINDOWS,)))
    named = origin(inputs, recorded=(LINUX,), are_recorded_named=True)
    assert named == ("the lock", ["3.12 manylinux_2_28_x86_64"])
    assert origin(inputs, recorded=(LINUX,)) == ("[tool.lockstream] targets", ["3.11 win_amd64"])


def test_one_option_keeps_the_other_half_of_the_lock() -> None:
    recorded = (LINUX, WINDOWS)
    assert origin(Inputs(), recorded=recorded, python_versions=("3.13",))[1] == [
        "3.13 manylinux_2_28_x86_64", "3.13 win_amd64",
    ]  # fmt: skip
    assert origin(Inputs(), recorded=(LINUX,), platforms=("macos",))[1] == [
        "3.12 macosx_13_0_arm64"
    ]


@pytest.mark.parametrize(
    ("text", "python"),
    [
        ("3.12\n", "3.12"), ("# ours\n\n3.12.4\n3.11\n", "3.12.4"), ("cpython@3.13", "3.13"),
        ("cpython-3.13", "3.13"), ("3.13t", "3.13t"), ("pypy@3.11", "pypy3.11"),
        ("pypy3.11", "pypy3.11"), ("cpython-3.12.4-linux-x86_64-gnu", "3.12.4"),
        ("pypy-3.11-macos-aarch64-none", "pypy3.11"),
    ],
)  # fmt: skip
def test_a_python_that_is_pinned_goes_before_the_lock(
    tmp_path: Path, text: str, python: str
) -> None:
    (tmp_path / ".python-version").write_text(text)
    found = origin(Inputs(), recorded=(LINUX,), folder=str(tmp_path))
    assert found == (".python-version", [f"{python} manylinux_2_28_x86_64"])


@pytest.mark.parametrize("text", ["system", "3.12-dev", "miniforge3", "", "2.7"])
def test_a_pin_that_names_no_python_does_not_count(tmp_path: Path, text: str) -> None:
    (tmp_path / ".python-version").write_text(text)
    assert origin(Inputs(), recorded=(LINUX,), folder=str(tmp_path))[0] == "the lock"


@pytest.mark.parametrize("line", ["version = 3.10.2", "version_info = 3.10.2.final.0"])
def test_an_environment_is_followed_if_there_is_no_lock(tmp_path: Path, line: str) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text(f"home = /usr/bin\n{line}\n")
    found = origin(Inputs(), folder=str(tmp_path))
    assert (found[0], found[1][0].split()[0]) == (".venv", "3.10.2")
    assert origin(Inputs(), recorded=(LINUX,), folder=str(tmp_path))[0] == "the lock"
    assert origin(requires(">=3.11"), folder=str(tmp_path))[0] == "the running Python"


def test_an_environment_of_another_implementation_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("implementation = PyPy\nversion = 3.10.2\n")
    assert origin(Inputs(), folder=str(tmp_path))[0] == "the running Python"


def test_the_running_python_is_used_if_the_project_supports_it(tmp_path: Path) -> None:
    source, (target,) = origin(requires(f">={HERE}"), folder=str(tmp_path))
    assert (source, target.startswith(HERE)) == ("the running Python", True)


@pytest.mark.parametrize(
    ("required", "python"),
    [("==3.9.*", "3.9"), (">=3.8,<3.9", "3.8"), (">=3.8.5,<3.9", "3.8.5")],
)
def test_else_the_oldest_that_the_project_supports(
    tmp_path: Path, required: str, python: str
) -> None:
    source, (target,) = origin(requires(required), folder=str(tmp_path))
    assert (source, target.split()[0]) == ("requires-python", python)


def test_a_lock_for_a_python_that_the_project_dropped_does_not_decide() -> None:
    old = Target.named("3.8", "linux")
    assert origin(requires("==3.9.*"), recorded=(old,)) == (
        "requires-python",
        ["3.9 manylinux_2_28_x86_64"],
    )


@pytest.mark.parametrize(
    ("named", "planned"),
    [("3.11", "3.11.2"), ("3.12", "3.12.0"), ("3.11.1", "3.11.1"), ("3.10", "3.10.0")],
)
def test_a_python_without_a_release_is_the_first_that_the_project_supports(
    named: str, planned: str
) -> None:
    """As --universal has it. A release that is named stays, and is refused if it is too old."""
    request = TargetRequest(python_versions=(named,), platforms=("linux",))
    (target,) = targets_for(requires(">=3.11.2"), request).targets
    assert target.environment["python_full_version"] == planned


def test_a_project_for_no_known_python_is_refused() -> None:
    with pytest.raises(UsageError, match=r"requires Python >=4, and none of 3\.8 to"):
        origin(requires(">=4"))


def test_universal_is_every_supported_python_on_each_platform() -> None:
    source, targets = origin(requires(">=3.13"), universal=True)
    assert source == "--universal"
    assert len(targets) == len(set(targets)) == 2 * len(UNIVERSAL_PLATFORMS)
    assert {one.split()[0] for one in targets} == {"3.13", "3.14"}
