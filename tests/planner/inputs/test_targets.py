"""The targets are those of the command line, else those of the project, else this interpreter."""

from __future__ import annotations

import sys

import pytest

from planner.inputs.inputs import Inputs
from planner.inputs.settings import Settings
from planner.inputs.targets import choose_targets, targets_for
from schemas.errors import UsageError
from schemas.target import Target

WINDOWS = Target.named("3.11", "windows")
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


def test_the_command_line_goes_before_the_project() -> None:
    inputs = Inputs(settings=Settings(targets=(WINDOWS,)))
    assert targets_for(inputs, (), ()) == (WINDOWS,)
    (named,) = targets_for(inputs, ("3.12",), ("macos",))
    assert named.environment["sys_platform"] == "darwin"
    (own,) = targets_for(Inputs(), (), ())
    assert own.environment["python_version"] == HERE
