"""The tables of other tools name indexes and addresses; nothing that matters is passed over."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from planner.index.indexes import Pin
from planner.inputs.addresses import StatedAddress
from planner.inputs.pip_config import PUBLIC_INDEX
from planner.inputs.settings import IndexSetting, Settings
from planner.inputs.tool_tables import read_tool_tables
from planner.inputs.tool_values import ToolTables
from planner.model.policy import Prereleases
from schemas.target import Target

ONE, TWO = "https://one.example/simple", "https://two.example/simple"


def read(text: str, ours: Settings | None = None) -> ToolTables:
    return read_tool_tables(tomllib.loads(text), "/project/pyproject.toml", ours or Settings())


def _twice(key: str) -> str:
    """Return two tables of one name."""
    return "".join(f"[[{key}]]\nname = 'x'\nurl = '{url}'\n" for url in (ONE, TWO))


def test_what_is_not_read_is_named() -> None:
    found = read("[tool.uv]\nprerelease = 'explicit'\nmanaged = true\n")
    (remark,) = found.remarks
    assert remark.startswith("/project/pyproject.toml: [tool.uv] prerelease is not read; set")
    (remark,) = read("[tool.pdm.resolution]\nallow-prereleases = true\n").remarks
    assert "[tool.pdm] resolution allow-prereleases is not read" in remark


def test_the_indexes_of_rye_are_named() -> None:
    (remark,) = read(f"[[tool.rye.sources]]\nname = 'x'\nurl = '{ONE}'\n").remarks
    assert remark == (
        "/project/pyproject.toml: [tool.rye] sources is not read; name its indexes in "
        "[tool.lockstream]"
    )


def test_packages_of_pixi_are_named_but_not_the_project_itself() -> None:
    itself = "[tool.pixi.pypi-dependencies]\napp = { path = '.', editable = true }\n"
    assert not read(f"{itself}[tool.pixi.tasks]\n").remarks
    remarks = read(f"{itself}rich = '*'\n[tool.pixi.dependencies]\nnumpy = '*'\n").remarks
    assert [remark.partition(";")[0].partition("[")[2] for remark in remarks] == [
        "tool.pixi] dependencies is not read",
        "tool.pixi] pypi-dependencies is not read",
    ]


@pytest.mark.parametrize(
    ("key", "ours", "advice"),
    [
        ("fork-strategy = 'fewest'", Settings(align=False), "set align in [tool.lockstream]"),
        ("environments = []", Settings(targets=(Target.named("3.12", "linux"),)),
         "set targets in [tool.lockstream]"),
        ("default-groups = ['dev']", None, "name the groups where they are installed"),
    ],
)  # fmt: skip
def test_what_to_do_about_a_key_that_is_not_read_can_be_done(
    key: str, ours: Settings | None, advice: str
) -> None:
    (remark,) = read(f"[tool.uv]\n{key}\n").remarks
    assert f"is not read; {advice}" in remark
    if ours:
        assert not read(f"[tool.uv]\n{key}\n", ours).remarks


def test_a_dependency_of_which_poetry_allows_prereleases_is_named() -> None:
    text = (
        "[tool.poetry.dependencies]\na = { version = '^1', allow-prereleases = true }\nb = '^1'\n"
    )
    (remark,) = read(text).remarks
    assert remark == (
        "/project/pyproject.toml: [tool.poetry] a: allow-prereleases is not read; set prerelease "
        "in [tool.lockstream], or name a pre-release in the version"
    )
    assert not read(text, Settings(prerelease=Prereleases.ALLOW)).remarks


def test_what_is_said_in_our_own_table_need_not_be_readable_in_another() -> None:
    ours = Settings(indexes={"x": IndexSetting(ONE)}, sources={canonicalize_name("a"): (Pin("x"),)})
    text = (
        "[tool.uv.sources]\na = [{ index = 'y', marker = \"os_name == 'nt'\" }]\n"
        "[[tool.uv.index]]\nname = 'x'\nurl = 'w'\nformat = 'flat'\nexplicit = true\n"
        f"[[tool.pdm.source]]\nname = 'x'\nurl = '{ONE}'\ninclude_packages = ['our-*']\n"
    )
    assert read(text, ours) == ToolTables()


def test_pdm_names_sources_overrides_and_excludes() -> None:
    found = read(
        f"[[tool.pdm.source]]\nname = 'pypi'\nurl = '{TWO}'\n"
        f"[[tool.pdm.source]]\nname = 'x'\nurl = '{ONE}'\ninclude_packages = ['a']\n"
        "verify_ssl = false\n"
        "[tool.pdm.resolution]\nexcludes = ['c']\n"
        "[tool.pdm.resolution.overrides]\nd = '1.0'\ne = '>=2'\nf = 'https://f.example/f.zip'\n"
    )
    settings = found.settings
    assert settings.default_index == TWO
    assert settings.indexes == {"x": IndexSetting(ONE, explicit=True)}
    assert settings.sources == {"a": (Pin("x"),)}
    assert settings.excludes == ("c",)
    assert settings.overrides == ("d==1.0", "e>=2", "f @ https://f.example/f.zip")
    assert found.trusted_hosts == ("one.example",)
    assert "the certificate of one.example is not verified" in found.remarks[0]


def test_poetry_does_not_look_on_pypi_if_it_has_a_primary_source() -> None:
    found = read(
        f"[[tool.poetry.source]]\nname = 'x'\nurl = '{ONE}'\n"
        f"[[tool.poetry.source]]\nname = 'y'\nurl = '{TWO}'\npriority = 'explicit'\n"
        "[tool.poetry.dependencies]\na = { version = '1', source = 'y' }\n"
    )
    assert found.settings.default_index == ONE
    assert found.settings.indexes["y"] == IndexSetting(TWO, explicit=True)
    assert found.settings.sources == {"a": (Pin("y"),)}
    found = read(
        f"[[tool.poetry.source]]\nname = 'PyPI'\npriority = 'primary'\n"
        f"[[tool.poetry.source]]\nname = 'x'\nurl = '{ONE}'\npriority = 'supplemental'\n"
    )
    assert [one.url for one in found.settings.indexes.values()] == [PUBLIC_INDEX, ONE]


def test_poetry_knows_pypi_without_a_table() -> None:
    found = read("[tool.poetry.dependencies]\na = { version = '1', source = 'PyPI' }\n").settings
    assert found.sources == {"a": (Pin("PyPI"),)}
    assert found.indexes == {"PyPI": IndexSetting(PUBLIC_INDEX, explicit=True)}


def test_a_source_of_our_table_decides_between_those_of_poetry() -> None:
    two = "a = [{ version = '1', source = 'x' }, { version = '1', source = 'y' }]\n"
    ours = Settings(sources={canonicalize_name("a"): (Pin("z"),)})
    found = read(f"[tool.poetry.dependencies]\n{two}", ours).settings
    assert ours.with_defaults(found).sources == {"a": (Pin("z"),)}


def test_several_addresses_of_one_project_are_noted_as_such() -> None:
    found = read(
        "[tool.poetry.dependencies]\na = [{ url = 'https://f.example/1.zip' }, "
        "{ url = 'https://f.example/2.zip' }]\n"
    )
    one, two = StatedAddress("https://f.example/1.zip"), StatedAddress("https://f.example/2.zip")
    assert found.addresses == {"a": (one, two)}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[tool.uv.sources]\na = [{ index = 'x', marker = \"os == 'nt'\" }]",
         "[tool.uv.sources] a has \"os == 'nt'\", which is not a marker of environments"),
        ("[tool.uv.sources]\na = { git = '' }", "a names no source"),
        ("[tool.uv.sources]\na = 1", "is not as uv has it"),
        ("[[tool.uv.index]]\nname = 'x'\nurl = 'w'\nformat = 'flat'\nexplicit = true",
         "x has links for some projects alone"),
        (("[[tool.uv.index]]\nname = 'x'\nurl = 'w'\nformat = 'flat'\n"
         "[tool.uv.sources]\na = { index = 'x' }"), "x has links for some projects alone"),
        ("[tool.uv]\nindex = 1", "is not as uv has it"),
        ("[tool.uv.dependency-groups]\ndev = 1", "is not as uv has it"),
        ("[tool.uv.dependency-groups]\ndev = { requires-python = '3' }",
         "dependency-groups dev: requires-python is not a version specifier"),
        ("[[tool.pdm.source]]\nname = 'x'\nurl = 'y'\ninclude_packages = ['our-*']",
         "selects projects by patterns"),
        ("[[tool.pdm.source]]\nname = 'x'\nurl = 'y'\nexclude_packages = ['ours']",
         "[[tool.pdm.source]] x is for all projects but some"),
        (_twice("tool.pdm.source"), "[[tool.pdm.source]] x is there twice"),
        (_twice("tool.poetry.source"), "[[tool.poetry.source]] x is there twice"),
        (_twice("tool.uv.index"), "[[tool.uv.index]] x is there twice"),
        ("[tool.uv]\nindex = [{ url = 'v', default = true }, { url = 'w', default = true }]",
         "[[tool.uv.index]] has several with default = true"),
        ("[tool.pdm]\nsource = 1", "is not as pdm has it"),
        ("[tool.poetry.dependencies]\na = { source = 'x', markers = \"extra != 'y'\" }",
         "[tool.poetry] a has \"(extra != 'y')\", which names no extra that it is for"),
    ],
)  # fmt: skip
def test_what_would_be_taken_from_elsewhere_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  # compared next
        read(text)
    assert problem in str(raised.value)


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\nuv = 1", "", "[tool.uv]\nsources = 1"])
def test_other_documents_say_nothing(text: str) -> None:
    assert read(text) == ToolTables()


def test_the_file_of_uv_takes_the_place_of_its_table(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text(f"index-url = '{TWO}'\n")
    document = {"tool": {"uv": {"index-url": ONE, "sources": {"a": {"index": "x"}}}}}
    found = read_tool_tables(document, str(tmp_path / "pyproject.toml"), Settings())
    assert found.settings.default_index == TWO
    assert found.settings.sources == {"a": (Pin("x"),)}
    (tmp_path / "uv.toml").write_text("[[")
    with pytest.raises(ValueError, match=r"uv\.toml"):
        read_tool_tables(document, str(tmp_path / "pyproject.toml"), Settings())
