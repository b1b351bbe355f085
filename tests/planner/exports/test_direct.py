"""What the inputs of a lock require themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from executor import SelectOptions
from helpers.exports import directly, lock_with
from planner.exports.direct import Direct, find_direct
from schemas.errors import LockstreamError

PROJECT = """
[project]
name = "demo"
version = "1.2"
dependencies = ["App", "win; os_name == 'nt'"]
optional-dependencies.cli = ["click"]
[dependency-groups]
docs = ["sphinx"]
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(PROJECT)
    Path("requirements.in").write_text("app\nbase>=1\n")


def found(select: SelectOptions | None = None, **inputs: list[str]) -> Direct | None:
    tool: dict[str, Any] = {"lockstream": {"inputs": inputs}} if inputs else {}
    lock = lock_with(extras=["cli"], dependency_groups=["docs"], tool=tool)
    return find_direct(lock, "pylock.toml", (select or SelectOptions()).variables(lock))


def test_a_project_is_known_by_name_and_version() -> None:
    direct = found(projects=["."])
    assert direct == directly("app", "win", project="demo", version="1.2")


def test_what_chosen_extras_and_groups_require_counts() -> None:
    select = SelectOptions(extras=frozenset({"cli"}), groups=frozenset({"docs"}))
    direct = found(select, projects=["."])
    assert direct is not None
    assert direct.names == {"app", "click", "sphinx", "win"}


def test_requirements_files_are_of_no_project() -> None:
    assert found(requirements=["requirements.in"]) == directly("app", "base")


def test_a_version_that_a_backend_computes_is_not_known() -> None:
    Path("pyproject.toml").write_text('[project]\nname = "demo"\ndynamic = ["version"]\n')
    assert found(projects=["."]) == directly(project="demo")


def test_a_script_is_no_project() -> None:
    Path("run.py").write_text('# /// script\n# dependencies = ["app"]\n# ///\n')
    assert found(projects=["run.py"]) == directly("app")


def test_a_lock_of_another_tool_does_not_say() -> None:
    assert found() is None


def test_inputs_that_are_gone_are_an_error() -> None:
    with pytest.raises(LockstreamError, match="gone"):
        found(requirements=["gone.in"])
