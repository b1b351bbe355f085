"""A local project becomes a step, or an error names what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.lock.local_project import LocalProject, ProjectUnlocked
from schemas.errors import InvalidInput, UsageError
from schemas.target import Target

TARGET = Target.named("3.12", "manylinux_2_28_x86_64")
PROJECT = '[project]\nname = "My_App"\nversion = "1.0"\n[build-system]\nrequires = {}\n'
EMPTY_LOCK = 'lock-version = "1.0"\ncreated-by = "tests"\npackages = []\n'


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def test_one_without_build_requirements_needs_no_lock(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(PROJECT.format("[]"))
    step = LocalProject(folder=str(folder), editable=True).step(TARGET, "/nowhere")
    assert (step.name, step.version, step.path) == ("my-app", "1.0", str(folder))
    assert step.source is not None
    assert (step.source.editable, step.source.lock, step.source.record) == (True, None, None)
    assert step.is_direct


def test_the_lock_of_its_build_requirements_is_found_beside_the_lock_first(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(PROJECT.format('["flit_core"]'))
    (folder / "pylock.build-my-app.toml").write_text(EMPTY_LOCK)
    found = LocalProject(folder=str(folder)).step(TARGET, str(folder.parent)).source
    assert found is not None
    assert found.lock == str(folder / "pylock.build-my-app.toml")
    (folder.parent / "pylock.build-my-app.toml").write_text(EMPTY_LOCK)
    found = LocalProject(folder=str(folder)).step(TARGET, str(folder.parent)).source
    assert found is not None
    assert found.lock == str(folder.parent / "pylock.build-my-app.toml")


@pytest.mark.parametrize("table", ['requires = ["flit_core"]', "", None])
def test_one_whose_build_requirements_are_not_locked_names_the_lock(
    folder: Path, table: str | None
) -> None:
    text = '[project]\nname = "My_App"\n'
    if table is not None:
        text += f"[build-system]\n{table}\n"
    (folder / "pyproject.toml").write_text(text)
    with pytest.raises(ProjectUnlocked) as caught:
        LocalProject(folder=str(folder)).step(TARGET, str(folder.parent))
    assert str(caught.value) == (
        f"{folder}: pylock.build-my-app.toml, the lock of its build requirements, is missing"
    )
    assert "plan --build-project" in caught.value.hint


def test_a_folder_without_a_project_is_wrong_usage(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"pyproject\.toml cannot be read: No such file"):
        LocalProject(folder=str(folder)).step(TARGET, str(folder))


@pytest.mark.parametrize(
    ("text", "problem"), [("[project", "pyproject.toml: "), ("[project]\n", "has no name")]
)
def test_a_project_file_that_is_wrong_is_named(folder: Path, text: str, problem: str) -> None:
    (folder / "pyproject.toml").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        LocalProject(folder=str(folder)).step(TARGET, str(folder))
    assert str(folder / "pyproject.toml") in str(caught.value)
    assert problem in str(caught.value)
