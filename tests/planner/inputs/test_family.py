"""Members of a uv workspace are planned, and never taken from an index."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from helpers.projects import named, names, project
from planner.index.indexes import Pin
from planner.inputs.family import Family
from planner.inputs.project import read_projects
from planner.inputs.project_document import InvalidProject, read_document
from planner.inputs.project_tables import ProjectTables
from planner.inputs.workspace import find_workspace

ROOT = "[tool.uv.workspace]\nmembers = ['packages/*']\n"
MEMBER = "[tool.uv.sources]\nlib = { workspace = true }\n"


def test_a_root_that_is_no_project_stands_for_its_members(tmp_path: Path) -> None:
    root = project(tmp_path, ROOT)
    project(tmp_path / "packages" / "app", named("app", "lib", "one", more=MEMBER))
    project(tmp_path / "packages" / "lib", named("lib", "two"))
    inputs = read_projects([root])
    assert names(inputs) == ["one", "two"]
    assert inputs.members == ("app", "lib")


def test_two_members_of_one_name_are_named(tmp_path: Path) -> None:
    root = project(tmp_path, ROOT)
    first = project(tmp_path / "packages" / "a", named("lib", "one"))
    project(tmp_path / "packages" / "b", named("Lib", "two"))
    with pytest.raises(InvalidProject, match="a member of the same workspace, with the same") as it:
        read_projects([root])
    assert first in str(it.value)


def test_a_member_that_is_required_brings_its_requirements(tmp_path: Path) -> None:
    project(tmp_path, ROOT)
    lines = ("lib[x]; python_version > '3'", "one")
    app = project(tmp_path / "packages" / "app", named("app", *lines, more=MEMBER))
    extra = "[project.optional-dependencies]\nx = ['three']\n"
    project(tmp_path / "packages" / "lib", named("lib", "two", "app", more=extra))
    inputs = read_projects([app])
    assert names(inputs) == [
        'two; python_version > "3"', 'three; python_version > "3"', "one",
    ]  # fmt: skip
    assert inputs.members == ("app", "lib")


@pytest.mark.parametrize(
    ("line", "more", "expected"),
    [
        ("lib", "", "!=3.14,>=3.13"),
        ("lib; os_name == 'nt'", "", "None"),
        ("one", "[project.optional-dependencies]\nx = ['lib']\n", "None"),
    ],
    ids=["always", "elsewhere", "for an extra"],
)
def test_a_member_that_is_always_required_limits_the_pythons(
    line: str, more: str, expected: str, tmp_path: Path
) -> None:
    root = ROOT + MEMBER + "deep = { workspace = true }\n"
    app = project(tmp_path, named("app", line, more=more + root))
    lib = named("lib", "deep", more="requires-python = '>=3.13'\n" + MEMBER)
    lib += "deep = { workspace = true }\n"
    project(tmp_path / "packages" / "lib", lib)
    deep = named("deep", more="requires-python = '!=3.14'\n")
    project(tmp_path / "packages" / "deep", deep)
    assert str(read_projects([app]).requires_python) == expected


def test_a_group_may_be_for_some_pythons_alone(tmp_path: Path) -> None:
    groups = "[dependency-groups]\nnew = ['one', \"two; os_name == 'nt'\", 'lib']\n"
    limit = "[tool.uv.dependency-groups]\nNew = { requires-python = '>=3.13,<4' }\n"
    project(tmp_path, named("root", more=MEMBER + ROOT + groups + limit))
    app = project(tmp_path / "packages" / "app", named("app", more=MEMBER + groups))
    project(tmp_path / "packages" / "lib", named("lib", "three"))
    limited = 'python_full_version < "4" and python_full_version >= "3.13"'
    root = read_projects([str(tmp_path)])
    assert names(root) == [
        f"one; {limited}", f'two; os_name == "nt" and ({limited})', f"three; {limited}",
    ]  # fmt: skip
    (remark,) = (one for one in root.remarks if "dependency-groups" in one)
    assert remark.endswith("dependency-groups: New is empty for other Pythons than >=3.13,<4")
    assert names(read_projects([app])) == ["one", 'two; os_name == "nt"', "three"]


def test_the_root_is_read_once_for_all_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []

    def search(folder: str) -> object:
        searched.append(folder)
        return find_workspace(folder)

    monkeypatch.setattr("planner.inputs.family.find_workspace", search)
    root = project(tmp_path, ROOT)
    for number in range(9):
        project(tmp_path / "packages" / f"m{number}", named(f"m{number}", "one"))
    assert len(read_projects([root]).members) == 9
    assert len(searched) == 1


def test_an_extra_that_a_member_lacks_is_an_error_that_names_who_requires_it(
    tmp_path: Path,
) -> None:
    project(tmp_path, ROOT)
    app = project(tmp_path / "packages" / "app", named("app", "lib[y]", more=MEMBER))
    project(tmp_path / "packages" / "lib", named("lib"))
    problem = r"app/pyproject.toml: \[project\] dependencies: lib has no extra 'y'; .*lib/pyproj"
    with pytest.raises(InvalidProject, match=problem) as caught:
        read_projects([app])
    assert caught.value.hint == "correct the name, or add the extra to that project"


def test_a_source_that_is_not_a_member_is_an_error(tmp_path: Path) -> None:
    app = project(tmp_path, named("app", "lib", more=MEMBER))
    with pytest.raises(InvalidProject, match="lib is not a member of its workspace") as caught:
        read_projects([app])
    assert "remove this source" in caught.value.hint


def test_a_member_takes_its_indexes_and_sources_from_the_root(tmp_path: Path) -> None:
    more = (
        "[[tool.uv.index]]\nname = 'x'\nurl = 'https://x.example'\nexplicit = true\n"
        "[tool.uv.sources]\nsecret = { index = 'x' }\nlib = { path = 'libs/lib' }\n"
    )
    project(tmp_path, ROOT + more)
    app = project(tmp_path / "packages" / "app", named("app", "secret", "lib"))
    inputs = read_projects([app])
    assert inputs.settings.sources == {"secret": (Pin("x"),)}
    assert names(inputs) == ["secret", f"lib @ {(tmp_path / 'libs' / 'lib').as_uri()}"]
    other = project(tmp_path / "other", named("other", "secret"))
    assert read_projects([other]).settings.sources == {}


def test_members_that_a_root_with_a_project_does_not_bring_are_told(tmp_path: Path) -> None:
    root = project(tmp_path, named("root", "lib", more=MEMBER + ROOT))
    for name in ("app", "lib", "tool"):
        project(tmp_path / "packages" / name, named(name, f"of-{name}"))
    inputs = read_projects([root])
    assert names(inputs) == ["of-lib"]
    (remark,) = inputs.remarks
    assert remark.endswith(
        "pyproject.toml: its workspace has members that are not planned: app, tool; "
        "name their folders to plan them, too"
    )
    folders = [root, *(str(tmp_path / "packages" / name) for name in ("app", "tool"))]
    assert read_projects(folders).remarks == ()


def test_a_root_without_members_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidProject, match="its workspace has no members"):
        read_projects([project(tmp_path, ROOT)])


def test_a_member_is_found_from_a_project_that_names_it_as_its_source(tmp_path: Path) -> None:
    project(tmp_path, ROOT)
    app = project(tmp_path / "packages" / "app", named("app", "lib", more=MEMBER))
    lib = project(tmp_path / "packages" / "lib", named("lib"))
    tables = ProjectTables(*read_document(app), None)
    family = Family(backend=None)
    assert list(family.expand(tables)) == [tables]
    assert family.names == {"app"}
    found = family.find(canonicalize_name("lib"), tables)
    assert found is not None
    assert found.folder == lib
    assert family.names == {"app", "lib"}
    assert family.find(canonicalize_name("other"), tables) is None
