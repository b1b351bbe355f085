"""A login is found in the same places by both phases, and never written down."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.surroundings import leave_plain
from helpers.wheels import build_wheel

KEYRING = """#!/bin/sh
case "$*" in
    "get $SERVICE ada") echo s3cret ;;
    "--mode creds get $SERVICE ") echo ada; echo s3cret ;;
    *) exit 1 ;;
esac
"""

Set = Callable[[str, str], None]
Prepare = Callable[[Index, Set], Sequence[str]]
"""Puts the login of an index where a user would; returns the options of both phases."""


def in_the_address(index: Index, _: Set) -> Sequence[str]:
    return ["-i", index.url.replace("//", "//ada:s3cret@")]


def by_name(prefix: str) -> Prepare:
    def prepare(index: Index, set_: Set) -> Sequence[str]:
        set_(f"{prefix}_OUR_TEAM_USERNAME", "ada")
        set_(f"{prefix}_OUR_TEAM_PASSWORD", "s3cret")
        return ["--index", f"our-team={index.url}", "--package-index", "app=our-team"]

    return prepare


def in_netrc(index: Index, set_: Set) -> Sequence[str]:
    Path("netrc").write_text("machine 127.0.0.1 login ada password s3cret\n")
    set_("NETRC", "netrc")
    return ["-i", index.url]


def in_a_variable(name: str) -> Prepare:
    def prepare(index: Index, set_: Set) -> Sequence[str]:
        set_(name, index.url.replace("//", "//ada:s3cret@"))
        return []

    return prepare


def in_the_keyring(service: str) -> Prepare:
    def prepare(index: Index, set_: Set) -> Sequence[str]:
        program = Path("bin/keyring")
        program.parent.mkdir()
        program.write_text(KEYRING)
        program.chmod(0o755)
        set_("PATH", f"{program.parent.absolute()}:{os.environ['PATH']}")
        set_("SERVICE", service.format(origin=index.origin, host=index.origin.partition("//")[2]))
        return ["-i", index.url.replace("//", "//ada@"), "--keyring"]

    return prepare


PLACES: dict[str, Prepare] = {
    "LOCKSTREAM_INDEX_<NAME>": by_name("LOCKSTREAM_INDEX"),
    "UV_INDEX_<NAME>": by_name("UV_INDEX"),
    "netrc": in_netrc,
    "PIP_INDEX_URL": in_a_variable("PIP_INDEX_URL"),
    "UV_DEFAULT_INDEX": in_a_variable("UV_DEFAULT_INDEX"),
    "keyring, by URL": in_the_keyring("{origin}"),
    "keyring, by host": in_the_keyring("{host}"),
}


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache_folder: Path) -> None:
    leave_plain(monkeypatch)
    monkeypatch.chdir(tmp_path)
    Path("requirements.in").write_text("app\n")


@pytest.fixture(name="private")
def _private(index: Index) -> Index:
    index.login = ("ada", "s3cret")
    index.add(build_wheel("app"))
    return index


@pytest.mark.parametrize("place", PLACES)
def test_a_login_is_found_by_plan_and_by_execute(
    place: str,
    private: Index,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    options = PLACES[place](private, monkeypatch.setenv)
    plan = ["plan", "-q", "-r", "requirements.in", *options]
    assert lockstream.main(plan) == 0
    execute = ["execute", "pylock.toml", "--venv", "env"]
    assert lockstream.main(execute + ["--keyring"] * ("--keyring" in options)) == 0
    assert list(Path("env").glob("lib/python3*/site-packages/app-1.0.dist-info"))
    output = capfd.readouterr()
    assert "s3cret" not in Path("pylock.toml").read_text() + output.out + output.err


def test_a_login_in_an_option_of_plan_is_not_known_to_execute(
    private: Index, capfd: pytest.CaptureFixture[str]
) -> None:
    options = in_the_address(private, lambda *_: None)
    assert lockstream.main(["plan", "-q", "-r", "requirements.in", *options]) == 0
    assert lockstream.main(["execute", "pylock.toml", "--venv", "env"]) == 5
    assert "the server answered 401" in capfd.readouterr().err
