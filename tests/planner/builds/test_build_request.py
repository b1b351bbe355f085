"""What may be built, and with which flags, from the command line and the project."""

from __future__ import annotations

import re

import pytest
from packaging.utils import canonicalize_name

from planner.builds.build_request import BuildRequest
from planner.inputs.build_settings import BuildSetting
from schemas.errors import UsageError

DEMO = canonicalize_name("demo")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], False),
        (["missing"], True),
        (["Demo,other"], True),
        (["other"], False),
        (["missing", "never"], False),
        (["never", "demo"], True),
    ],
)
def test_what_may_be_built_is_what_is_named_last(words: list[str], expected: bool) -> None:
    assert (DEMO in BuildRequest(select=words).resolve({}).allowed) is expected


@pytest.mark.parametrize("word", ["demo==2", "two words", "demo[x]"])
def test_what_is_no_name_is_not_built_in_vain(word: str) -> None:
    with pytest.raises(UsageError, match="never, missing or names of projects") as raised:
        BuildRequest(select=("other", word)).resolve({})
    assert repr(word) in str(raised.value)


def test_flags_of_a_package_go_before_those_of_all_and_these_before_the_project() -> None:
    request = BuildRequest(
        environment=("CFLAGS=-O1", "demo:CFLAGS=-O0"), config_settings=("demo:key=value",)
    )
    settings = {"Demo": BuildSetting(environment={"CFLAGS": "-O3", "LANG": "C"}, defaults=False)}
    policy = request.resolve(settings)
    flags = policy.flags("demo", "backend")
    assert flags.environment == {"CFLAGS": "-O0", "LANG": "C"}
    assert flags.config_settings == {"key": "value"}
    other = BuildRequest(environment=("CFLAGS=-O1",), defaults=False).resolve({})
    assert other.flags("other", "backend").environment == {"CFLAGS": "-O1"}


@pytest.mark.parametrize("word", ["A", "=a", "demo:A"])
def test_a_flag_without_a_value_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match=r"--build-env .* has no value"):
        BuildRequest(environment=(word,)).resolve({})


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("torch", "does not begin with the name of a package"),
        (":torch", "does not begin with the name of a package"),
        ("a b:torch", "does not begin with the name of a package"),
        ("demo:", "--build-requires demo has '', which is not a requirement"),
        ("demo:a b", "--build-requires demo has 'a b', which is not a requirement"),
        ("demo:a @ https://u:secret@x.example/a.whl", "has an address with a login for a"),
    ],
)
def test_what_is_no_requirement_of_a_package_is_refused(word: str, problem: str) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)) as raised:
        BuildRequest(requires=(word,)).resolve({})
    assert "secret" not in str(raised.value)
    assert raised.value.hint == "write it as PACKAGE:REQUIREMENT, such as flash-attn:torch"


@pytest.mark.parametrize("word", ["API_TOKEN=x", "demo:URL=https://u:p@index.example"])
def test_a_flag_that_looks_like_a_secret_is_refused_and_not_shown(word: str) -> None:
    with pytest.raises(UsageError, match="looks like a secret") as raised:
        BuildRequest(environment=(word,)).resolve({})
    assert "u:p" not in str(raised.value)


def test_a_wheelhouse_that_is_not_kept_cannot_be_named() -> None:
    with pytest.raises(UsageError, match="--no-wheelhouse keeps no wheels"):
        BuildRequest(no_wheelhouse=True, wheelhouse="wheels").resolve({})


def test_the_login_of_an_address_for_wheels_is_not_recorded() -> None:
    request = BuildRequest(wheelhouse_url="https://ada:s3cret@wheels.example/x/")
    assert request.to_options(".")["wheelhouse-url"] == "https://wheels.example/x/"
    assert request.resolve({}).wheelhouse_url == "https://wheels.example/x/"
    recorded = BuildRequest.from_options({"wheelhouse-url": "https://ada:s3cret@w.example/"}, ".")
    assert recorded.to_options(".")["wheelhouse-url"] == "https://w.example/"
    served = BuildRequest(wheelhouse_url="file:///srv/wheels")
    assert served.resolve({}).wheelhouse_url == "file:///srv/wheels"


@pytest.mark.parametrize(
    "url",
    [
        "wheels", "s3://wheels/x", "https:///x", "https://wheels.example:x/",
        "https://ada:s3/cret@wheels.example/", "https://wheels.example/x?token=s3cret", "https://[::1",
    ],
)  # fmt: skip
def test_an_address_that_nothing_is_fetched_from_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="--wheelhouse-url") as caught:
        BuildRequest(wheelhouse_url=url).resolve({})
    assert "s3" not in str(caught.value).replace("s3:", "")
