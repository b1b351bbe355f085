"""The version stands in one place."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.version import Version

from schemas.version import USER_AGENT, VERSION

PROJECT = Path(__file__).parent.parent.parent


def test_the_installed_program_has_it() -> None:
    assert version("lockstream") == VERSION == str(Version(VERSION))


def test_the_project_file_does_not_repeat_it() -> None:
    table = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert "version" not in table
    assert table["dynamic"] == ["version"]


def test_no_source_file_repeats_it() -> None:
    repeats = [
        path
        for room in ("schemas", "planner", "executor")
        for path in PROJECT.glob(f"{room}/**/*.py")
        if f"lockstream/{VERSION[:3]}" in path.read_text() or f'"{VERSION}"' in path.read_text()
    ]
    assert repeats == [PROJECT / "schemas/version.py"]


def test_indexes_are_told_the_name_and_the_version() -> None:
    assert f"lockstream/{VERSION}" == USER_AGENT
