"""Requirements apply in the environments in which their markers hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import InputRequirement
from planner.inputs.requirements_file import read_requirements
from planner.model.environments import MarkerEnvironment
from planner.resolver.applicable import applicable, applicable_dependencies
from schemas.target import Target

LINUX = MarkerEnvironment((Target.named("3.11", "manylinux_2_28_x86_64"),))


def read(folder: Path, *lines: str) -> list[InputRequirement]:
    path = folder / "requirements.in"
    path.write_text("\n".join(lines))
    return list(read_requirements([str(path)], environment={}).requirements)


def test_a_requirement_whose_marker_does_not_hold_is_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, "app", "win; sys_platform == 'win32'", "nix; sys_platform == 'linux'")
    assert [one.name for one in applicable(found, LINUX)] == ["app", "nix"]


def test_extras_become_dependencies_of_their_own(tmp_path: Path) -> None:
    found = read(tmp_path, "app[b,a]>=1; python_version >= '3.11'")
    dependencies = applicable_dependencies(found, LINUX)
    assert [str(one.identifier) for one in dependencies] == ["app[a]", "app[b]", "app"]
    assert {str(one.specifier) for one in dependencies} == {">=1"}
    assert all(one.origin and one.origin.endswith("requirements.in:1") for one in dependencies)


def test_a_marker_that_cannot_be_evaluated_is_reported_with_its_line(tmp_path: Path) -> None:
    found = read(tmp_path, "app; python_full_version ~= '3'")
    with pytest.raises(InvalidRequirementLine, match=r"requirements\.in:1") as caught:
        applicable(found, LINUX)
    assert caught.value.hint == (
        "write >= or == in the place of ~=, which is for versions of two parts or more"
    )
