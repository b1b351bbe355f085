"""What is not said on the command line comes from where pip and uv look for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags

from planner.inputs.pip_config import (
    PUBLIC_INDEX,
    configured_index,
    configured_links,
    configured_values,
    extra_indexes,
    unread_settings,
)
from planner.inputs.targets import choose_targets
from schemas.errors import UsageError

ONE = "https://one.example/simple/"
TWO = "https://two.example/simple/"


def pip_conf(path: Path, url: str, section: str = "global", key: str = "index-url") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[{section}]\n{key} = {url}\n")
    return path


@pytest.mark.parametrize("stronger", ["UV_DEFAULT_INDEX", "PIP_INDEX_URL"])
def test_the_environment_names_the_index(tmp_path: Path, stronger: str) -> None:
    weaker = pip_conf(tmp_path / ".config" / "pip" / "pip.conf", TWO)
    assert weaker.exists()
    assert configured_index({stronger: ONE, "HOME": str(tmp_path)}) == ONE


def test_uv_names_it_before_pip() -> None:
    assert configured_index({"UV_DEFAULT_INDEX": ONE, "PIP_INDEX_URL": TWO}) == ONE


@pytest.mark.parametrize(
    "path", [".config/pip/pip.conf", ".pip/pip.conf", "venv/pip.conf", "own.conf"]
)
@pytest.mark.parametrize("key", ["index-url", "index_url"])
def test_configuration_files_of_pip_name_the_index(tmp_path: Path, path: str, key: str) -> None:
    pip_conf(tmp_path / path, ONE, key=key)
    environment = {"HOME": str(tmp_path), "VIRTUAL_ENV": str(tmp_path / "venv")}
    if path == "own.conf":
        environment["PIP_CONFIG_FILE"] = str(tmp_path / path)
    assert configured_index(environment) == ONE


def test_the_more_specific_file_is_asked_first(tmp_path: Path) -> None:
    pip_conf(tmp_path / ".config" / "pip" / "pip.conf", TWO)
    own = pip_conf(tmp_path / "own.conf", ONE)
    environment = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(own)}
    assert configured_index(environment) == ONE


def test_pip_can_be_told_to_have_no_configuration(tmp_path: Path) -> None:
    pip_conf(tmp_path / ".config" / "pip" / "pip.conf", TWO)
    environment = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
    assert configured_index(environment) == PUBLIC_INDEX


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("index-url = nowhere\n")
    with pytest.raises(
        UsageError, match=r"own\.conf: pip's configuration cannot be read"
    ) as caught:
        configured_index({"PIP_CONFIG_FILE": str(tmp_path / "own.conf")})
    variable, _, value = caught.value.hint.rpartition(": ")[2].partition("=")
    assert configured_index({variable: value}) == PUBLIC_INDEX


def test_the_environment_names_further_indexes() -> None:
    environment = {"UV_INDEX": f"internal={ONE} {TWO}", "PIP_EXTRA_INDEX_URL": TWO}
    assert list(extra_indexes(environment)) == [f"internal={ONE}", TWO, TWO]


def test_the_target_is_the_running_interpreter() -> None:
    (target,) = choose_targets()
    assert target.tags == tuple(sys_tags())
    assert target.environment == default_environment()


def test_what_is_not_named_is_as_in_the_running_interpreter() -> None:
    (here,) = choose_targets()
    (other,) = choose_targets(["3.12"])
    assert (other.environment["python_version"], other.platform) == ("3.12", here.platform)
    (other,) = choose_targets([], ["win_amd64"])
    assert other.environment["python_version"] == "{}.{}".format(*sys.version_info)
    assert other.platform == "win_amd64"


def test_each_python_is_planned_for_on_each_platform() -> None:
    targets = choose_targets(["3.12", "3.13t"], ["linux", "win_amd64"])
    assert [(target.python_name, target.platform) for target in targets] == [
        ("3.12", "manylinux_2_28_x86_64"),
        ("3.12", "win_amd64"),
        ("3.13t", "manylinux_2_28_x86_64"),
        ("3.13t", "win_amd64"),
    ]


def test_pip_conf_names_further_places(tmp_path: Path) -> None:
    own = tmp_path / "own.conf"
    own.write_text(
        f"[global]\nextra-index-url =\n    {ONE}\n    {TWO}\nfind-links = a b\n"
        "[install]\nfind-links = wheels\nno-index = true\n"
    )
    environment = {"PIP_CONFIG_FILE": str(own)}
    assert list(extra_indexes(environment)) == [ONE, TWO]
    assert list(configured_links(environment)) == ["wheels"]
    assert configured_values("no-index", environment) == ["true"]


def test_a_variable_replaces_what_pip_conf_says(tmp_path: Path) -> None:
    own = pip_conf(tmp_path / "own.conf", ONE, key="extra-index-url")
    environment = {"PIP_CONFIG_FILE": str(own), "PIP_EXTRA_INDEX_URL": TWO}
    assert list(extra_indexes(environment)) == [TWO]
    environment = {"PIP_FIND_LINKS": "a b", "UV_FIND_LINKS": "c,d"}
    assert list(configured_links(environment)) == ["c", "d", "a", "b"]


def test_variables_without_effect_are_named() -> None:
    nothing = {"PIP_CONFIG_FILE": "/dev/null"}
    assert unread_settings({**nothing, "PIP_CONSTRAINT": "c.txt", "UV_RESOLUTION": ""}) == [
        "PIP_CONSTRAINT"
    ]
    assert unread_settings({**nothing, "UV_NO_SOURCES": "1", "UV_INDEX_STRATEGY": "x"}) == [
        "UV_INDEX_STRATEGY",
        "UV_NO_SOURCES",
    ]


def test_keys_of_pip_conf_without_effect_are_named(tmp_path: Path) -> None:
    own = tmp_path / "own.conf"
    own.write_text(
        "[global]\nuploaded_prior_to = P7D\nrequire-hashes = false\n"
        "[install]\nonly-binary = :all:\n"
    )
    environment = {"PIP_CONFIG_FILE": str(own)}
    found = [one for one in unread_settings(environment) if one.startswith(str(own))]
    assert found == [f"{own}: only-binary", f"{own}: uploaded-prior-to"]
