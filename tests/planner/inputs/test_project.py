"""A project's pyproject.toml tells what to plan for."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import lockstream
from helpers.index import Index
from helpers.locks import LINUX
from helpers.projects import named, names, project, read_project
from helpers.wheels import build_wheel
from planner.inputs.errors import (
    InvalidRequirementLine,
    UnreadableInput,
    UnsupportedRequirementLine,
)
from planner.inputs.inputs import Inputs
from planner.inputs.project import read_projects
from planner.inputs.project_document import InvalidProject
from planner.inputs.scope_choice import ScopeChoice
from planner.model.dependencies import Scope

PROJECT = """
[project]
name = "Demo_App"
requires-python = ">=3.9"
dependencies = ["base>=1", "other"]
[project.optional-dependencies]
Web_UI = ["web"]
cli = ["click"]
all = ["demo-app[cli,web-ui]", "more", "demo.app[all]"]
[dependency-groups]
test = ["pytest", {include-group = "Types"}]
types = ["mypy", "demo-app[cli]"]
"""


def test_the_dependencies_of_the_project_are_asked_for(tmp_path: Path) -> None:
    inputs = read_project(tmp_path, PROJECT)
    assert names(inputs) == ["base>=1", "other"]
    assert str(inputs.requires_python) == ">=3.9"
    path = str(tmp_path / "pyproject.toml")
    assert inputs.requirements[0].origin == f"{path} [project] dependencies"


def test_extras_are_asked_for_in_any_spelling(tmp_path: Path) -> None:
    assert names(read_project(tmp_path, PROJECT, extras=["web.ui"]))[2:] == ["web"]


def test_an_extra_that_asks_for_others_stands_for_theirs(tmp_path: Path) -> None:
    assert names(read_project(tmp_path, PROJECT, extras=["all"]))[2:] == ["click", "web", "more"]


def test_a_marker_on_an_own_extra_limits_what_that_requires(tmp_path: Path) -> None:
    text = """
[project]
name = "app"
[project.optional-dependencies]
win = ["a", "b; python_version < '3.12'"]
all = ["app[win]; sys_platform == 'win32'"]
"""
    assert names(read_project(tmp_path, text, extras=["all"])) == [
        'a; sys_platform == "win32"',
        'b; python_version < "3.12" and sys_platform == "win32"',
    ]


def test_groups_are_asked_for_with_what_they_include(tmp_path: Path) -> None:
    assert names(read_project(tmp_path, PROJECT, groups=["test"]))[2:] == [
        "pytest",
        "mypy",
        "click",
    ]


def test_groups_need_no_project(tmp_path: Path) -> None:
    inputs = read_project(tmp_path, '[dependency-groups]\ntest = ["pytest"]', groups=["test"])
    assert names(inputs) == ["pytest"]


@pytest.mark.parametrize(
    ("text", "asked", "problem"),
    [
        pytest.param("[project", {}, "not valid TOML: ", id="no TOML"),
        pytest.param('[project]\ndynamic = ["dependencies"]', {},
                     "its dependencies are dynamic: only its build backend knows them",
                     id="dynamic"),
        pytest.param(PROJECT, {"extras": ["no"]},
                     "there is no extra 'no'; it has all, cli, web-ui", id="no such extra"),
        pytest.param(PROJECT, {"groups": ["no"]},
                     "there is no dependency group 'no'; it has test, types", id="no such group"),
        pytest.param('[dependency-groups]\na = [{include-group = "b"}]', {"groups": ["a"]},
                     "Dependency group 'b' not found (its dependency groups: a)",
                     id="no such included group"),
        pytest.param('[dependency-groups]\na = [{include-group = "b"}]\n'
                     'b = [{include-group = "a"}]',
                     {"groups": ["a"]}, "Cyclic dependency group include while resolving a: "
                     "a -> b, b -> a (its dependency groups: a, b)", id="a cycle of groups"),
        pytest.param('project = "demo"', {}, "[project] is not a table", id="project is text"),
        pytest.param('[project]\ndependencies = "demo"', {},
                     "[project] dependencies is not a list of strings", id="dependencies are text"),
        pytest.param('[project.optional-dependencies]\na = [1]', {"extras": ["a"]},
                     "[project.optional-dependencies] a is not a list of strings", id="a number"),
        pytest.param('[project]\noptional-dependencies = 1', {},
                     "[project.optional-dependencies] is not a table", id="extras are a number"),
        pytest.param('[project]\nrequires-python = 3.9', {},
                     "[project] requires-python is not a version specifier", id="3.9"),
        pytest.param('[project]\nrequires-python = "new"', {},
                     "[project] requires-python is not a version specifier", id="a word"),
    ],
)  # fmt: skip
def test_a_project_that_cannot_be_meant_is_refused(
    tmp_path: Path, text: str, asked: dict[str, list[str]], problem: str
) -> None:
    with pytest.raises(InvalidProject) as raised:
        read_project(tmp_path, text, **asked)
    assert str(raised.value).startswith(f"{tmp_path / 'pyproject.toml'}: {problem}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[dependency-groups]\nb = ["demo 1"]\na = [{ include-group = "b" }]',
         "[dependency-groups] b: 'demo 1' is not a requirement"),
        ('[tool.pdm.dev-dependencies]\na = ["-e file:///x#egg=x"]',
         "[dependency-groups] a: -e is not supported"),
    ],
)  # fmt: skip
def test_a_line_of_a_group_that_is_no_requirement_is_named(
    tmp_path: Path, text: str, line: str
) -> None:
    with pytest.raises(InvalidRequirementLine) as raised:
        read_project(tmp_path, f"[project]\n{text}", groups=["a"])
    assert str(raised.value).startswith(f"{tmp_path / 'pyproject.toml'} {line}")


def test_a_dependency_that_is_malformed_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequirementLine, match=r"pyproject\.toml \[project\] dependencies: "):
        read_project(tmp_path, '[project]\ndependencies = ["a>=>1"]')


def test_a_direct_reference_of_another_kind_is_not_supported(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRequirementLine):
        read_project(tmp_path, '[project]\ndependencies = ["a @ svn+https://svn.example/a"]')


def test_a_missing_project_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match=r"pyproject\.toml: No such file or directory"):
        read_projects([str(tmp_path)])


def scopes(inputs: Inputs) -> dict[str, str]:
    return {str(one.requirement): str(one.scope) for one in inputs.requirements}


def test_a_requirement_tells_what_it_was_asked_for_with(tmp_path: Path) -> None:
    inputs = read_project(tmp_path, PROJECT, extras=["web.ui"], groups=["Types"])
    assert (inputs.extras, inputs.groups) == (("web-ui",), ("types",))
    assert scopes(inputs) == {
        "base>=1": "None", "other": "None", "web": "extra web-ui",
        "mypy": "group types", "click": "group types",
    }  # fmt: skip


def test_all_extras_and_all_groups_can_be_asked_for(tmp_path: Path) -> None:
    inputs = read_project(tmp_path, PROJECT, all_extras=True, all_groups=True)
    assert inputs.extras == ("all", "cli", "web-ui")
    assert inputs.groups == ("test", "types")
    click = [one.scope for one in inputs.requirements if one.requirement.name == "click"]
    assert set(click) == {
        Scope("extra", canonicalize_name("all")), Scope("extra", canonicalize_name("cli")),
        Scope("group", canonicalize_name("test")), Scope("group", canonicalize_name("types")),
    }  # fmt: skip


def test_projects_of_one_repository_are_read_together(tmp_path: Path) -> None:
    for name, text in {
        "api": '[project]\nname = "api"\nrequires-python = ">=3.9"\n'
        'dependencies = ["core[fast]", "web"]\n',
        "core": '[project]\nname = "Core"\nrequires-python = "<4"\ndependencies = ["base"]\n'
        '[project.optional-dependencies]\nfast = ["speed"]\n',
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(text)
    folders = [str(tmp_path / "api"), str(tmp_path / "core")]
    inputs = read_projects(folders, extras=ScopeChoice(everything=False))
    assert names(inputs) == ["speed", "web", "base"]
    assert str(inputs.requires_python) == "<4,>=3.9"


def test_a_document_without_a_project_is_an_error_unless_a_group_is_chosen(tmp_path: Path) -> None:
    folder = project(tmp_path, "[dependency-groups]\ntest = ['one']\n")
    with pytest.raises(InvalidProject, match=r"it has no \[project\] table"):
        read_projects([folder], groups=ScopeChoice(everything=False))
    assert names(read_projects([folder], groups=ScopeChoice(["test"]))) == ["one"]


def test_a_planned_project_is_never_taken_from_an_index(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("plugin", requires=["demo"]), build_wheel("demo", "9.0"))
    project(tmp_path, named("demo", "plugin"))
    assert lockstream.main(["plan", "-q", "-i", index.url, *LINUX]) == 0
    packages = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    assert [one["name"] for one in packages] == ["plugin"]
    assert lockstream.main(["check"]) == 0
