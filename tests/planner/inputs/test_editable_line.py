"""``-e`` names a project in a folder, from the working folder or from the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from planner.inputs.editable_line import parse_editable
from planner.inputs.errors import InvalidRequirementLine, UnsupportedRequirementLine


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def project(folder: str) -> None:
    Path(folder).mkdir(parents=True)
    Path(folder, "pyproject.toml").write_text("[project]\nname = 'demo'\n")


def parse(value: str, *, is_allowed: bool = True) -> tuple[Requirement, str]:
    return parse_editable(
        value, "ci/a.in:1", written=f"-e {value}", file="ci/a.in", is_allowed=is_allowed
    )


def test_a_folder_has_extras_and_a_marker() -> None:
    project("app")
    requirement, folder = parse("app[x, y] ; sys_platform == 'linux'")
    assert (folder, requirement.extras) == ("app", {"x", "y"})
    assert str(requirement.marker) == 'sys_platform == "linux"'
    assert requirement.url == Path("app").resolve().as_uri()


def test_the_folder_may_begin_at_the_file() -> None:
    project("ci/app")
    assert parse("app")[1] == "ci/app"


def test_two_folders_of_one_path_are_refused() -> None:
    project("app")
    project("ci/app")
    with pytest.raises(InvalidRequirementLine, match="a project in 'app', from the working folder"):
        parse("app")


def test_a_folder_without_a_project_is_refused() -> None:
    with pytest.raises(InvalidRequirementLine, match="there is no project in 'app'"):
        parse("app")


@pytest.mark.parametrize("value", ["git+https://host.example/app.git", "app"])
def test_a_repository_and_a_constraint_are_refused(value: str) -> None:
    project("app")
    with pytest.raises(UnsupportedRequirementLine, match="-e is only supported for a folder"):
        parse(value, is_allowed=value != "app")
