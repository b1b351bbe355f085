"""The members of a workspace are those that its root names and that have a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.inputs.project_document import InvalidProject
from planner.inputs.workspace import find_workspace, workspace_members

ROOT = '[tool.uv.workspace]\nmembers = ["packages/*", "tool"]\nexclude = ["packages/old"]\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(ROOT)
    for name in ("packages/a", "packages/b", "packages/old", "tool", "other"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "pyproject.toml").write_text(f"[project]\nname = '{Path(name).name}'\n")
    (tmp_path / "packages" / "empty").mkdir()
    return tmp_path


def test_the_root_is_found_from_a_member(root: Path) -> None:
    for folder in (root, root / "packages" / "a"):
        found = find_workspace(str(folder))
        assert found is not None
        assert found[0] == str(root)


def test_members_are_sorted_and_without_those_that_are_excluded(root: Path) -> None:
    found = find_workspace(str(root))
    assert found is not None
    folders = [Path(one).relative_to(root).as_posix() for one in workspace_members(*found)]
    assert folders == ["packages/a", "packages/b", "tool"]


@pytest.mark.parametrize("itself", [".", "./", "./."])
def test_a_root_that_names_itself_is_no_member_of_its_own(root: Path, itself: str) -> None:
    assert list(workspace_members(str(root), {"members": [itself, "tool"]})) == [str(root / "tool")]


def test_without_a_table_there_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\nworkspace = 1\n")
    assert find_workspace(str(tmp_path)) is None


def test_patterns_that_lead_out_of_the_root_are_not_followed(root: Path) -> None:
    table = {"members": ["../*", "/tmp/*", 1, ""], "exclude": 1}
    assert list(workspace_members(str(root), table)) == []


@pytest.mark.parametrize("pattern", ["***", "a/**b"])
def test_a_pattern_that_is_none_is_an_error(root: Path, pattern: str) -> None:
    with pytest.raises(InvalidProject, match=r"members: .* is not a pattern"):
        list(workspace_members(str(root), {"members": [pattern]}))
