"""[tool.lockstream] of a project is read strictly."""

from __future__ import annotations

import tomllib

import pytest
from packaging.utils import canonicalize_name

from planner.index.indexes import Pin, Strategy
from planner.inputs.settings import (
    _EXAMPLES,
    _READERS,
    IndexSetting,
    InvalidSetting,
    Settings,
    read_settings,
)
from planner.model.policy import Ordering, Prereleases

ALL = """
[tool.lockstream]
targets = [
    { python = ["3.11", "3.12"], platform = ["linux", "macos"] },
    { python = "3.13t", platform = "windows" },
]
constraints = ["a<2"]
overrides = ["b<3"]
excludes = ["c"]
default-index = "https://index.example/simple/"
index-strategy = "unsafe-best-match"
find-links = ["wheels"]
prerelease = "allow"
resolution = "lowest-direct"
exclude-newer = "7 days"
exclude-newer-package = { ours = false, g = "2 days" }
no-binary = ["d"]
only-binary = ["f"]
allow-hosts = ["files.example"]
align = false

[tool.lockstream.indexes]
one = "https://one.example/"
two = { url = "https://two.example/", explicit = true, exclude-newer = false }

[tool.lockstream.sources]
e = "two"
"""


def read(text: str) -> Settings:
    return read_settings(tomllib.loads(text), "pyproject.toml")


def test_all_keys_are_read() -> None:
    settings = read(ALL)
    assert [target.to_table() for target in settings.targets] == [
        {"python": "3.11", "platform": "manylinux_2_28_x86_64"},
        {"python": "3.11", "platform": "macosx_13_0_arm64"},
        {"python": "3.12", "platform": "manylinux_2_28_x86_64"},
        {"python": "3.12", "platform": "macosx_13_0_arm64"},
        {"python": "3.13t", "platform": "win_amd64"},
    ]
    assert (settings.constraints, settings.overrides, settings.excludes) == (
        ("a<2",), ("b<3",), ("c",),
    )  # fmt: skip
    assert settings.default_index == "https://index.example/simple/"
    assert settings.indexes == {
        "one": IndexSetting("https://one.example/"),
        "two": IndexSetting("https://two.example/", explicit=True, exclude_newer="false"),
    }
    assert settings.sources == {"e": (Pin("two"),)}
    assert settings.index_strategy is Strategy.UNSAFE_BEST_MATCH
    assert settings.find_links == ("wheels",)
    assert (settings.prerelease, settings.resolution) == (
        Prereleases.ALLOW, Ordering.LOWEST_DIRECT,
    )  # fmt: skip
    assert settings.exclude_newer == "7 days"
    assert settings.exclude_newer_package == {"ours": "false", "g": "2 days"}
    assert (settings.no_binary, settings.allow_hosts) == (("d",), ("files.example",))
    assert settings.only_binary == ("f",)
    assert settings.align is False


@pytest.mark.parametrize("text", ["", "[tool]", "[tool.other]\nx = 1"])
def test_a_project_may_settle_nothing(text: str) -> None:
    assert read(text) == Settings()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("exclude_newer = '7 days'", "exclude_newer: there is no such key",
                     id="a misspelled key"),
        pytest.param("constraints = 'a<2'", "constraints: is not a list of strings", id="no list"),
        pytest.param("excludes = ['a', 'b[x]']",
                     "excludes: has 'b[x]', which is not the name of a project", id="no name"),
        pytest.param("no-binary = [':all:', 'b c']",
                     "no-binary: has 'b c', which is not the name of a project", id="no set"),
        pytest.param("exclude-newer-package = {'a b' = '7 days'}",
                     "exclude-newer-package: has 'a b', which is not the name of a project",
                     id="no project"),
        pytest.param("exclude-newer-package = {a = true}",
                     "exclude-newer-package: is not a string", id="no moment"),
        pytest.param("align = 'yes'", "align: is neither true nor false", id="no flag"),
        pytest.param("default-index = 1", "default-index: is not a string", id="no text"),
        pytest.param("prerelease = 'maybe'",
                     "prerelease: is not one of disallow, allow, if-necessary", id="no choice"),
        pytest.param("indexes = ['x']", "indexes: is not a table", id="no table"),
        pytest.param("indexes = {a = {explicit = true}}",
                     "indexes: each index is a URL, or a table of url, explicit and exclude-newer",
                     id="no URL"),
        pytest.param("indexes = {a = {url = 'https://a.example', exclude-newer = true}}",
                     "indexes: is not a string", id="no moment of an index"),
        pytest.param("targets = [{python = '3.12'}]",
                     "targets: each target is a table of python and platform", id="no platform"),
        pytest.param("targets = '3.12'", "targets: is not a list of tables", id="no targets"),
        pytest.param("targets = [{python = '2.7', platform = 'linux'}]",
                     "targets: --python-version '2.7' is not a version of Python 3", id="Python 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_key(text: str, problem: str) -> None:
    with pytest.raises(InvalidSetting) as raised:
        read(f"[tool.lockstream]\n{text}")
    assert str(raised.value) == f"pyproject.toml: [tool.lockstream] {problem}"


def test_the_project_of_a_source_may_be_spelled_in_any_way_but_once() -> None:
    def read(lines: str) -> Settings:
        document = tomllib.loads(f"[tool.lockstream.sources]\n{lines}")
        return read_settings(document, "pyproject.toml")

    other = Settings(sources={canonicalize_name("our-library"): (Pin("other"),)})
    found = read("Our_Library = 'x'").with_defaults(other)
    assert found.sources == {"our-library": (Pin("x"),)}
    with pytest.raises(InvalidSetting, match="has two spellings of one project"):
        read("Our_Library = 'x'\nour-library = 'y'")


@pytest.mark.parametrize(
    ("key", "value"), [("exclude-newer", "2020"), ("exclude-newer-package", {"demo": "soon"})]
)
def test_the_error_for_what_is_no_moment_names_the_file(key: str, value: object) -> None:
    with pytest.raises(InvalidSetting, match=f"{key}: '.*' is not a moment") as caught:
        read_settings({"tool": {"lockstream": {key: value}}}, "demo/pyproject.toml")
    assert str(caught.value).startswith("demo/pyproject.toml: ")
    assert "write it as" in caught.value.hint


@pytest.mark.parametrize("key", sorted(_READERS))
def test_what_cannot_be_read_is_answered_with_a_value_that_can(key: str) -> None:
    with pytest.raises(InvalidSetting) as raised:
        read_settings({"tool": {"lockstream": {key: 1}}}, "pyproject.toml")
    hint = raised.value.hint
    assert hint
    if example := _EXAMPLES.get(key):
        assert hint == f"write it as {key} = {example}"
        document = tomllib.loads(f"[tool.lockstream]\n{key} = {example}")
        assert read_settings(document, "pyproject.toml") != Settings()
