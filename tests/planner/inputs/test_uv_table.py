"""The table of uv says which index, address or workspace a project comes from."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from planner.index.indexes import Pin
from planner.inputs.addresses import StatedAddress
from planner.inputs.build_settings import BuildSetting
from planner.inputs.settings import IndexSetting, Settings
from planner.inputs.tool_tables import read_tool_tables
from planner.inputs.tool_values import ToolTables
from planner.model.conditions import Condition
from planner.model.dependencies import Scope

ONE, TWO = "https://one.example/simple", "https://two.example/simple"


def read(text: str, ours: Settings | None = None) -> ToolTables:
    return read_tool_tables(tomllib.loads(text), "/project/pyproject.toml", ours or Settings())


def test_uv_names_indexes_and_the_projects_that_come_from_them() -> None:
    found = read(
        f"[[tool.uv.index]]\nname = 'd'\nurl = '{TWO}'\ndefault = true\n"
        f"[[tool.uv.index]]\nname = 'x'\nurl = '{ONE}'\nexplicit = true\n"
        "[tool.uv.sources]\nOur_Library = { index = 'x' }\n"
    )
    x, d = IndexSetting(ONE, explicit=True), IndexSetting(TWO)
    assert list(found.settings.indexes.items()) == [("x", x), ("d", d)]
    assert found.settings.default_index == TWO
    assert found.settings.sources == {"our-library": (Pin("x"),)}


def test_an_index_of_uv_may_be_a_folder_or_have_links() -> None:
    found = read(
        "[[tool.uv.index]]\nurl = 'pages'\n[[tool.uv.index]]\nurl = './w'\nformat = 'flat'\n"
        "[[tool.uv.index]]\nurl = '../my pages'\ndefault = true\n"
    )
    assert list(found.settings.indexes.values()) == [IndexSetting("file:///project/pages")]
    assert found.settings.default_index == "file:///my%20pages"
    assert found.settings.find_links == ("/project/./w",)
    assert not found.no_index
    assert read("[[tool.uv.index]]\nurl = 'w'\nformat = 'flat'\ndefault = true\n").no_index


def test_uv_names_addresses_and_members() -> None:
    found = read(
        "[tool.uv.sources]\na = { git = 'https://git.example/a', rev = 'v1' }\n"
        "b = { path = '../b c' }\nc = { url = 'https://f.example/c.zip' }\n"
        "d = { workspace = true }\n"
    )
    assert found.addresses == {
        "a": (StatedAddress("git+https://git.example/a@v1"),),
        "b": (StatedAddress("file:/project/../b%20c"),),
        "c": (StatedAddress("https://f.example/c.zip"),),
    }
    assert found.members == {"d"}


def test_sources_that_uv_is_told_not_to_use_do_not_count() -> None:
    sources = (
        "[tool.uv.sources]\na = { index = 'x' }\nB_c = { path = '../b' }\n"
        "d = { workspace = true }\ne = [{ path = '../e', marker = 'os_name == \"nt\"' }]\n"
    )
    none = read(f"[tool.uv]\nno-sources = true\n{sources}")
    assert (none.settings.sources, none.addresses, none.members) == ({}, {}, frozenset())
    assert not none.remarks
    some = read(f"[tool.uv]\nno-sources-package = ['b.c', 'e']\n{sources}")
    assert some.settings.sources == {"a": (Pin("x"),)}
    assert not some.addresses
    assert some.members == {"d"}
    assert not some.remarks


def test_a_source_of_uv_may_be_for_some_environments_an_extra_or_a_group() -> None:
    found = read(
        "[tool.uv.sources]\na = [{ index = 'x', marker = \"sys_platform == 'linux'\" }, "
        "{ url = 'https://f.example/a.zip', extra = 'cpu' }]\nb = { index = 'y', group = 'dev' }\n"
    )
    on_linux = Condition(Marker('sys_platform == "linux"'))
    cpu, dev = Scope("extra", canonicalize_name("cpu")), Scope("group", canonicalize_name("dev"))
    assert found.settings.sources == {
        "a": (Pin("x", on_linux),), "b": (Pin("y", Condition(scope=dev)),),
    }  # fmt: skip
    assert found.addresses == {
        "a": (StatedAddress("https://f.example/a.zip", Condition(scope=cpu)),)
    }


def test_uv_names_what_excludes_each_other() -> None:
    found = read("[tool.uv]\nconflicts = [[{ extra = 'cpu' }, { group = 'dev' }]]\n")
    cpu, dev = Scope("extra", canonicalize_name("cpu")), Scope("group", canonicalize_name("dev"))
    assert found.settings.conflicts == (frozenset({cpu, dev}),)
    with pytest.raises(ValueError, match=re.escape("[tool.uv] conflicts: each entry names")):
        read("[tool.uv]\nconflicts = [[{ package = 'app' }, { group = 'dev' }]]\n")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("[{ workspace = true, marker = \"os_name == 'nt'\" }]",
         "a is a member of the workspace under a condition"),
        ("{ index = 'x', marker = 'no' }", "a has 'no', which is not a marker of environments"),
        ("[]", "a names no source"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_read_is_named(source: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"[tool.uv.sources] {problem}")):
        read(f"[tool.uv.sources]\na = {source}\n")


def test_uv_has_constraints_overrides_and_more_places() -> None:
    found = read(
        "[tool.uv]\nconstraint-dependencies = ['a<2']\noverride-dependencies = ['b<2']\n"
        f"exclude-dependencies = ['c']\nindex-url = '{ONE}'\nextra-index-url = ['{TWO}']\n"
        "find-links = ['wheels']\nno-index = true\n"
    )
    settings = found.settings
    assert (settings.constraints, settings.overrides, settings.excludes) == (
        ("a<2",),
        ("b<2",),
        ("c",),
    )
    assert settings.default_index == ONE
    assert list(settings.indexes.values()) == [IndexSetting(TWO)]
    assert settings.find_links == ("/project/wheels",)
    assert found.no_index


def test_an_index_of_uv_without_a_url_is_named() -> None:
    with pytest.raises(ValueError, match=re.escape("[[tool.uv.index]] main has no url")):
        read("[[tool.uv.index]]\nname = 'main'\n")


def test_uv_adds_requirements_to_builds() -> None:
    text = (
        "[tool.uv.extra-build-dependencies]\nFlash_Attn = ['torch', 'numpy<3']\n"
        "other = [{ requirement = 'torch', match-runtime = true }]\n"
    )
    found = read(text)
    assert {name: one.requires for name, one in found.settings.build.items()} == {
        "flash-attn": ("torch", "numpy<3"), "other": ("torch",),
    }  # fmt: skip
    (remark,) = found.remarks
    assert remark == (
        "/project/pyproject.toml: [tool.uv] extra-build-dependencies.other: match-runtime is not "
        "read; to build with the version of torch that the lock has, name it here"
    )
    ours = read(text, Settings(build={"flash.attn": BuildSetting(jobs=2)}))
    assert list(ours.settings.build) == ["other"]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("'torch'", "[tool.uv] is not as uv has it: a list of requirements was expected"),
        ("[1]", "[tool.uv] is not as uv has it: a list of strings was expected"),
        ("['a b']", "extra-build-dependencies.demo has 'a b', which is not a requirement"),
    ],
)
def test_what_uv_adds_to_builds_is_held_to_be_requirements(entry: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        read(f"[tool.uv.extra-build-dependencies]\ndemo = {entry}\n")


def test_the_moment_of_an_index_of_uv_is_that_of_its_files() -> None:
    settings = read(
        f"[[tool.uv.index]]\nname = 'one'\nurl = '{ONE}'\nexclude-newer = '5 days'\n"
        f"[[tool.uv.index]]\nurl = '{TWO}'\ndefault = true\nexclude-newer = false\n"
    ).settings
    assert settings.default_index == TWO
    assert settings.indexes == {
        "one": IndexSetting(ONE, exclude_newer="5 days"),
        "uv-1": IndexSetting(TWO, exclude_newer="false"),
    }


def test_the_moment_of_an_index_of_uv_is_a_string_or_false() -> None:
    with pytest.raises(ValueError, match="as uv has it: a string was expected"):
        read(f"[[tool.uv.index]]\nurl = '{ONE}'\nexclude-newer = 5\n")
