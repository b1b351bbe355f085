"""The settings of a project, and of other tools in it, count for all that is planned."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX
from helpers.projects import named, project, read_project
from helpers.wheels import build_wheel
from planner.inputs.project import read_projects


def test_settings_of_lockstream_go_before_those_of_other_tools(tmp_path: Path) -> None:
    more = (
        "[tool.lockstream]\ndefault-index = 'https://own.example'\nconstraints = ['a<2']\n"
        "[tool.uv]\nindex-url = 'https://uv.example'\nconstraint-dependencies = ['b<2']\n"
    )
    inputs = read_projects([project(tmp_path, named("app", more=more))])
    assert inputs.settings.default_index == "https://own.example"
    assert [one.name for one in inputs.constraints] == ["a", "b"]
    path = tmp_path / "pyproject.toml"
    assert [one.origin for one in inputs.constraints] == [
        f"{path} [tool.lockstream] constraints",
        f"{path} constraint-dependencies of uv",
    ]


def test_the_address_of_a_source_counts_for_overrides_and_constraints(tmp_path: Path) -> None:
    inputs = read_project(
        tmp_path,
        "[project]\nname = 'app'\nversion = '1'\ndependencies = ['lib']\n"
        "[tool.uv]\noverride-dependencies = ['fork ; os_name == \"nt\"', 'other<2']\n"
        "constraint-dependencies = ['fork']\n"
        "[tool.uv.sources]\nFork = { url = 'https://files.example/fork-1.0.tar.gz' }\n",
    )
    at = "fork @ https://files.example/fork-1.0.tar.gz"
    assert [str(one.requirement) for one in inputs.overrides] == [
        f'{at} ; os_name == "nt"', "other<2",
    ]  # fmt: skip
    assert [str(one.requirement) for one in inputs.constraints] == [at]


def test_a_project_of_an_explicit_index_of_uv_comes_from_there(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("secret-lib", "9.0"))
    with Index() as internal:
        internal.add(build_wheel("secret-lib", "1.0"))
        more = (
            f"[[tool.uv.index]]\nname = 'internal'\nurl = '{internal.url}'\nexplicit = true\n"
            "[tool.uv.sources]\nsecret-lib = { index = 'internal' }\n"
        )
        project(tmp_path, named("demo", "secret-lib", more=more))
        assert lockstream.main(["plan", "-q", "-i", index.url, *LINUX]) == 0
    (package,) = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    assert package["version"] == "1.0"
    assert index.asked == []
