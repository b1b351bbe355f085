"""Poetry's tables give the lines of dependencies, extras and groups; what they cannot say is an
error that names the entry.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from planner.inputs.poetry_tables import PoetryTables
from planner.inputs.project_document import InvalidProject
from planner.inputs.provenance import Provenance, read_inputs


def tables(text: str) -> PoetryTables:
    return PoetryTables(tomllib.loads(text), "pyproject.toml")


def test_without_tables_it_is_false() -> None:
    assert not tables("[project]\nname = 'a'\n")
    assert tables("[tool.poetry]\nname = 'a'\n")


def test_python_and_optional_dependencies_are_not_required() -> None:
    found = tables(
        "[tool.poetry.dependencies]\npython = '^3.9'\napp = '^1.0'\n"
        "base = { version = '*', optional = true }\n"
        "more = [{ version = '1', python = '<3.10', optional = true },\n"
        "        { version = '2', python = '>=3.10', optional = true }]\n"
    )
    assert found.dependencies() == ("[tool.poetry.dependencies]", ["app>=1.0,<2"])
    assert found.requires_python == ">=3.9,<4"


def test_alternatives_of_python_are_a_specifier_if_one_says_the_same() -> None:
    found = tables("[tool.poetry.dependencies]\npython = '^3.9 || ^4.1'\n")
    assert found.requires_python == ">=3.9,<5,!=4.0.*"
    found = tables("[tool.poetry.dependencies]\npython = '~2.7 || ^3.9'\n")
    assert found.requires_python is None


def test_an_extra_has_the_lines_of_the_dependencies_that_it_names() -> None:
    found = tables(
        "[tool.poetry.dependencies]\nBase = { version = '^2', optional = true }\n"
        "[tool.poetry.extras]\nX_y = ['base']\n"
    )
    assert found.extras() == {"x-y": ["Base>=2,<3"]}


def test_an_extra_that_names_no_dependency_is_an_error() -> None:
    with pytest.raises(InvalidProject, match=r"\[tool.poetry.extras\] x names base, which it does"):
        tables("[tool.poetry.extras]\nx = ['base']\n").extras()


def test_the_groups_of_both_forms_are_read() -> None:
    found = tables(
        "[tool.poetry.dev-dependencies]\nd = '2'\n[tool.poetry.group.dev.dependencies]\ne = '3'\n"
        "[tool.poetry.group.docs]\n"
    )
    assert list(found.groups()) == [("dev", ["d==2"]), ("dev", ["e==3"]), ("docs", [])]


def test_a_group_has_what_the_groups_have_that_it_includes(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        "[project]\nname = 'app'\nversion = '1'\n[dependency-groups]\nlint = ['one']\n"
        "[tool.poetry.group.dev]\ninclude-groups = ['lint', 'test']\n"
        "[tool.poetry.group.test.dependencies]\ntwo = '2'\n"
    )
    found = read_inputs(Provenance(projects=(str(path),)), environment={})
    dev = [
        str(one.requirement) for one in found.requirements if one.scope and one.scope.name == "dev"
    ]
    assert sorted(dev) == ["one", "two==2"]


def test_included_groups_are_names() -> None:
    with pytest.raises(InvalidProject, match=r"\[tool.poetry.group.dev\] include-groups is not a"):
        list(tables("[tool.poetry.group.dev]\ninclude-groups = 'test'\n").groups())
