"""The requirements of a project are read with its sources, extras and own variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.projects import named, names, project, read_project
from planner.inputs.project import read_projects
from planner.inputs.project_document import InvalidProject
from planner.inputs.scope_choice import ScopeChoice


def test_a_source_of_uv_takes_the_place_of_a_version(tmp_path: Path) -> None:
    more = "[tool.uv.sources]\nlib = { path = '../lib' }\n"
    inputs = read_projects([project(tmp_path / "app", named("app", "lib[x]>=1", more=more))])
    assert names(inputs) == [f"lib[x] @ {(tmp_path / 'lib').as_uri()}"]


def test_the_marker_of_a_requirement_on_an_own_extra_limits_its_requirements(
    tmp_path: Path,
) -> None:
    more = (
        "[project.optional-dependencies]\nwin = ['winonly']\nbase = ['other; os_name != \"x\"']\n"
        "all = ['app[base]', \"app[win,base]; sys_platform == 'win32'\"]\n"
    )
    inputs = read_projects(
        [project(tmp_path, named("app", more=more))], extras=ScopeChoice(["all"])
    )
    assert names(inputs) == [
        'other; os_name != "x"',
        'other; os_name != "x" and sys_platform == "win32"',
        'winonly; sys_platform == "win32"',
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            """dependencies = ["demo; extra == 'y'"]""",
            """[project] dependencies: the marker of "demo; extra == 'y'" names an extra""",
        ),
        (
            """optional-dependencies.x = ["a; os_name>'' and 'y' != extra"]""",
            "[project.optional-dependencies] x: the marker of \"a; os_name>'' and 'y' != extra\"",
        ),
    ],
)
def test_a_requirement_is_not_lost_because_its_marker_names_an_extra(
    tmp_path: Path, text: str, place: str
) -> None:
    with pytest.raises(InvalidProject) as raised:
        read_project(tmp_path, f'[project]\nname = "app"\nversion = "1"\n{text}', all_extras=True)
    assert str(raised.value).startswith(f"{tmp_path / 'pyproject.toml'}: {place}")
    assert "[project.optional-dependencies]" in raised.value.hint


def test_a_value_that_is_called_extra_is_no_extra(tmp_path: Path) -> None:
    text = """dependencies = ["demo; platform_release != 'extra'"]"""
    inputs = read_project(tmp_path, f'[project]\nname = "app"\nversion = "1"\n{text}')
    assert names(inputs) == ['demo; platform_release != "extra"']


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_the_folder_of_the_project_is_a_variable_of_pdm(slashes: str, tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    line = f"lib @ file:{slashes}${{PROJECT_ROOT}}/../lib"
    inputs = read_project(tmp_path / "a b", f"[project]\ndependencies = ['{line}']\n")
    assert names(inputs) == [f"lib @ {(tmp_path / 'lib').as_uri()}"]
