"""Indexes that uv is configured for, outside of any project, are those of a plan too."""

from __future__ import annotations

from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.planning import planned_packages
from helpers.wheels import build_wheel
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest
from planner.inputs.pip_config import (
    PUBLIC_INDEX,
    configured_index,
    configured_links,
    extra_indexes,
    unread_settings,
    without_indexes,
)
from planner.inputs.uv_config import uv_configuration
from schemas.errors import UsageError

ONE = "https://one.example/simple/"
TWO = "https://two.example/simple/"

FILE = f"""
exclude-newer = "7 days"
find-links = ["wheels", "https://links.example/"]
extra-index-url = ["https://extra.example/simple/"]
[[index]]
name = "ours"
url = "{ONE}"
[[index]]
name = "torch"
url = "https://torch.example/"
explicit = true
[[index]]
name = "corporate"
url = "{TWO}"
default = true
[[index]]
url = "https://flat.example/"
format = "flat"
"""


def uv_toml(folder: Path, text: str = FILE) -> Path:
    path = folder / "uv" / "uv.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_file_of_the_user_names_indexes_and_links(tmp_path: Path) -> None:
    path = uv_toml(tmp_path / ".config")
    environment = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    assert configured_index(environment) == TWO
    assert list(extra_indexes(environment)) == [
        f"ours={ONE}", "https://extra.example/simple/", f"corporate={TWO}",
    ]  # fmt: skip
    assert list(configured_links(environment)) == [
        str(path.parent / "wheels"), "https://links.example/", "https://flat.example/",
    ]  # fmt: skip
    assert unread_settings(environment) == [f"{path}: exclude-newer"]
    places = IndexRequest().resolve(Inputs(), environment).places
    assert [one.url for one in places[3:]] == [  # type: ignore[union-attr]
        "https://one.example/simple", "https://extra.example/simple", "https://two.example/simple",
    ]  # fmt: skip


def test_that_of_the_machine_comes_after_it(tmp_path: Path) -> None:
    uv_toml(tmp_path / "user", f'[[index]]\nurl = "{ONE}"\n')
    uv_toml(tmp_path / "machine", f'index-url = "{TWO}"\n[[index]]\nurl = "{TWO}"\n')
    environment = {
        "XDG_CONFIG_HOME": str(tmp_path / "user"), "XDG_CONFIG_DIRS": str(tmp_path / "machine"),
    }  # fmt: skip
    assert uv_configuration(environment).indexes == (ONE, TWO)
    assert uv_configuration(environment).default_index == TWO


def test_a_variable_of_either_tool_comes_first(tmp_path: Path) -> None:
    path = uv_toml(tmp_path)
    environment = {"UV_CONFIG_FILE": str(path), "PIP_INDEX_URL": ONE}
    assert configured_index(environment) == ONE


def test_uv_can_be_told_to_have_no_configuration(tmp_path: Path) -> None:
    path = uv_toml(tmp_path)
    environment = {
        "UV_CONFIG_FILE": str(path), "UV_NO_CONFIG": "1", "PIP_CONFIG_FILE": "/dev/null",
    }  # fmt: skip
    assert configured_index(environment) == PUBLIC_INDEX
    assert unread_settings(environment) == []


def test_it_may_leave_nothing_but_links(tmp_path: Path) -> None:
    path = uv_toml(tmp_path, "no-index = true\n")
    assert without_indexes({"UV_CONFIG_FILE": str(path), "PIP_CONFIG_FILE": "/dev/null"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("index-url = 1\n", "a string was expected"),
        ("[[index]]\nname = 'ours'\n", "[[index]] ours has no url"),
        ("index = 'ours'\n", "a list of tables was expected"),
        (f"index = [{{ name = 'x', url = '{ONE}' }}, {{ name = 'x', url = '{TWO}' }}]\n",
         "[[index]] x is there twice"),
    ],
)  # fmt: skip
def test_a_broken_configuration_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = uv_toml(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        uv_configuration({"UV_CONFIG_FILE": str(path)})
    assert str(caught.value) == f"{path}: uv's configuration cannot be read: {problem}"
    variable, _, value = caught.value.hint.rpartition(": ")[2].partition("=")
    assert uv_configuration({"UV_CONFIG_FILE": str(path), variable: value}).indexes == ()


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"own\.toml: .* cannot be read: No such file"):
        uv_configuration({"UV_CONFIG_FILE": str(tmp_path / "own.toml")})


def test_a_lock_keeps_the_index_that_it_was_planned_with(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("demo"))
    Path("requirements.in").write_text("demo\n")
    path = uv_toml(tmp_path, f'[[index]]\nurl = "{index.url}"\ndefault = true\n')
    monkeypatch.delenv("UV_NO_CONFIG")
    monkeypatch.setenv("UV_CONFIG_FILE", str(path))
    assert lockstream.main(["plan", "-q", "-r", "requirements.in"]) == 0
    assert planned_packages()["demo"]["index"] == index.url.rstrip("/")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    assert lockstream.main(["check"]) == 0
    assert lockstream.main(["plan", "-U"]) == 0
    assert planned_packages()["demo"]["index"] == index.url.rstrip("/")
